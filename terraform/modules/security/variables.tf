variable "name" {
  type        = string
  description = "Name of the deployment; it becomes the web ACL's name."
}

variable "prefix" {
  type        = string
  description = "Start of every path of the waiting room."
}

variable "snapshot_path" {
  type        = string
  sensitive   = true
  description = "Path of the gate snapshot, which the gatekeeper's replicas read from a few addresses of AWS: no rule may stop them."
}

variable "requests_per_5_min" {
  type        = number
  description = "Visitors' requests that one address may make in 5 minutes before its browsers are challenged."
}

variable "blocked_requests_per_5_min" {
  type        = number
  description = "Requests to the token service that one address may make in 5 minutes before it is refused."
}

variable "managed_rule_groups" {
  type = list(object({
    name  = string
    count = optional(bool, false)
  }))
  description = "Rule groups of AWS, in order; with `count` a group only counts what it would block."
}

variable "challenge" {
  type        = bool
  description = "Whether browsers that enter solve a silent challenge first."
}

variable "bot_header" {
  type        = string
  description = "Header in which the token service is told what kind of machine a request is taken for."
}

variable "bots" {
  type = object({
    labels           = map(list(string))
    inspection_level = string
    version          = string
  })
  default     = null
  description = "Labels of AWS WAF by the class the token service is told (data_center, automated, crawler, verified; the last of several counts), with a colon at the end for all that begin so; null: nothing is labelled."
}
