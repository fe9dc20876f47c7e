variable "name" {
  type        = string
  description = "Name of the API."
}

variable "schema" {
  type = object({
    description = string
    stage       = string
    routes      = list(object({ route_key = string, response = bool }))
  })
  description = "The decoded schemas/websocket.json."
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
