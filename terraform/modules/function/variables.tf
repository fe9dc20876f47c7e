variable "name" {
  type        = string
  description = "Name of the function."

  validation {
    condition     = can(regex("^[a-zA-Z0-9_-]{1,64}$", var.name))
    error_message = "A function's name has 1 to 64 letters, digits, hyphens and underscores: shorten the deployment's name."
  }
}

variable "spec" {
  type = object({
    description           = string
    handler               = string
    runtime               = string
    architecture          = string
    memory_mb             = number
    timeout_sec           = number
    reserved_concurrency  = optional(number)
    edge                  = bool
    asynchronous          = bool
    retries               = optional(number)
    maximum_event_age_sec = optional(number)
    triggers = object({
      http     = optional(bool, false)
      schedule = optional(string)
      stream = optional(object({
        starting_position      = string
        batch_size             = number
        batching_window_sec    = optional(number, 0)
        maximum_record_age_sec = number
        bisect                 = bool
        parallelization        = number
        partial_failures       = optional(bool, false)
      }))
    })
  })
  description = "The function as schemas/functions.json describes it."
}

variable "artifact" {
  type        = string
  description = "Path of the function's zip."
}

variable "environment" {
  type        = map(string)
  default     = {}
  description = "Environment variables; none at the edge, where there are none."
}

variable "permissions" {
  type = list(object({
    actions   = list(string)
    resources = list(string)
    name      = string
  }))
  default     = []
  description = "What the function may do, one statement each; `name` becomes the statement's id. Writing its own log, its failures and its traces are added."
}

variable "layers" {
  type        = list(string)
  default     = []
  description = "ARNs of layer versions, the first one underneath; none at the edge, where there are none."
}

variable "stream" {
  type = object({
    arn    = string
    filter = optional(string)
  })
  default     = null
  description = "Stream that starts the function where its spec has a stream trigger: ARN and, as JSON, the event pattern of records that count."
}

variable "failures_queue_arn" {
  type        = string
  default     = null
  description = "SQS queue for events that an asynchronous function could not deal with. Needed for asynchronous functions."
}

variable "log_retention_days" {
  type        = number
  default     = 30
  description = "Days that log lines are kept."
}

variable "tracing" {
  type        = bool
  default     = false
  description = "Whether AWS X-Ray traces invocations (Lambda's own active tracing; no SDK in the code)."
}

variable "table_key_arn" {
  type        = string
  default     = null
  description = "Customer-managed key that the tables are encrypted with, which whoever uses a table must be allowed to use too."
}

variable "skip_destroy" {
  type        = bool
  default     = false
  description = "Edge only: leave the function in the account on destroy, because its replicas keep AWS from deleting it for hours."
}

variable "alarms" {
  type = object({
    actions           = list(string)
    errors_per_min    = number
    throttles_per_min = number
  })
  default     = null
  description = "ARNs told when an alarm goes off or ends, and how many errors and refused starts a minute are too many; null makes no alarms."
}
