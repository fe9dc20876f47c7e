variable "name" {
  type        = string
  description = "Start of the names of what is made here."
}

variable "behaviours" {
  type        = any
  description = "The decoded schemas/behaviours.json."

  validation {
    condition     = can([for behaviour in var.behaviours.behaviours : [behaviour.path_pattern, var.behaviours.caches[behaviour.cache]]])
    error_message = "Every behaviour needs a path_pattern and one of the caches: see schemas/meta/behaviours.json."
  }
}

variable "api_domain_name" {
  type        = string
  description = "Host name of the HTTP API."
}

variable "api_stage" {
  type        = string
  description = "Stage of the HTTP API: what its origin puts before every path."
}

variable "websocket" {
  type = object({
    domain_name = string
    stage       = string
  })
  default     = null
  description = "Host name and stage of the WebSocket API; null leaves its behaviour out, and the catch-all answers."
}

variable "bucket_domain_name" {
  type        = string
  description = "Regional host name of the site bucket."
}

variable "origin_shield_region" {
  type        = string
  description = "AWS Region of the additional cache in front of origins that have one."
}

variable "site" {
  type = object({
    cache_policy_id     = optional(string)
    forward_host_header = optional(bool, true)
  })
  default     = {}
  description = "How the site's own pages are cached (null: as the site's Cache-Control says, by host, query and cookies) and whether its origin is sent the visitor's Host header."
}
