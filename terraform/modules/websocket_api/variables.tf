variable "name" {
  type        = string
  description = "Name of the API."
}

variable "schema" {
  type = object({
    description = string
    routes      = list(object({ route_key = string, response = bool }))
  })
  description = "The decoded schemas/websocket.json."
}

variable "stage" {
  type        = string
  description = "Name of the only stage: what nobody may guess, for the API takes no request without it."

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{20,128}$", var.stage))
    error_message = "stage is a name of 20 to 128 letters, digits, hyphens and underscores, made by chance."
  }
}

variable "function_name" {
  type        = string
  description = "Name of the function that serves every route."
}

variable "throttle" {
  type = object({
    requests_per_sec = number
    burst            = number
  })
  description = "Connects and messages a second that the API takes, and how many at one moment."
}
