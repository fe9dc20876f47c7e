variable "name" {
  type        = string
  description = "Name of the API."
}

variable "openapi" {
  type        = any
  description = "The decoded schemas/openapi.json. Each operation names its function in x-foyer-function; those with the security scheme aws_iam need AWS credentials."

  validation {
    condition     = can([for item in var.openapi.paths : [for operation in item : operation["x-foyer-function"]]])
    error_message = "Every operation of the OpenAPI document needs x-foyer-function, the component that answers it."
  }
}

variable "stage" {
  type        = string
  description = "Name of the only stage: what nobody may guess, for the API takes no request without it."

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{20,128}$", var.stage))
    error_message = "stage is a name of 20 to 128 letters, digits, hyphens and underscores, made by chance."
  }
}

variable "function_names" {
  type        = map(string)
  description = "Names of the functions by component."
}

variable "throttle" {
  type = object({
    requests_per_sec = number
    burst            = number
  })
  description = "Requests a second that the API takes before it answers 429, and how many at one moment."
}

variable "log_retention_days" {
  type        = number
  default     = 30
  description = "Days that access log lines are kept. They hold route, status and times, and nothing that tells who asked."
}

variable "alarms" {
  type = object({
    actions        = list(string)
    errors_per_min = number
  })
  default     = null
  description = "ARNs told when an alarm goes off or ends, and how many 5xx answers a minute are too many; null makes no alarms."
}

variable "cors_origins" {
  type        = list(string)
  default     = []
  description = "Other origins whose pages may read the API's answers, with credentials; none switches CORS off."
}
