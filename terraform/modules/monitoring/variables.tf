variable "name" {
  type        = string
  description = "Name of the deployment; names of what is made here start with it."
}

variable "emails" {
  type        = list(string)
  default     = []
  description = "Who is written to when an alarm goes off; everybody confirms once."
}

variable "alarms" {
  type        = bool
  default     = true
  description = "Whether there are alarms and topics for them."
}

variable "failures_queue_name" {
  type        = string
  description = "Name of the queue of failed events."
}

variable "distribution_id" {
  type        = string
  default     = null
  description = "Id of the distribution to watch."
}

variable "watches_firewall" {
  type        = bool
  description = "Whether a web ACL of this deployment, called `name`, counts machines."
}

variable "watches_distribution" {
  type        = bool
  description = "Whether distribution_id is a distribution of this deployment."
}

variable "dashboard" {
  type        = bool
  default     = true
  description = "Whether there is a dashboard. The first three of an account are free."
}

variable "function_names" {
  type        = map(string)
  default     = {}
  description = "Names of the functions by component, for the dashboard."
}

variable "log_group_names" {
  type        = map(string)
  default     = {}
  description = "Log groups of the functions that may leave phantom leases, by component."
}

variable "watches_codes" {
  type        = bool
  default     = false
  description = "Whether codes are sent to phones, so that it is told when none can be."
}

variable "table_names" {
  type        = map(string)
  default     = {}
  description = "Names of the tables by their name in schemas/tables/, for the dashboard."
}

variable "api_id" {
  type        = string
  default     = null
  description = "Id of the HTTP API, for the dashboard."
}

variable "budget" {
  type = object({
    monthly_usd = number
    emails      = list(string)
  })
  default     = null
  description = "USD a month that the account's cost should not pass, and who is told at 80 % forecast and 100 % spent; null makes no budget."
}
