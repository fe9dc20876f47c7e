variable "name" {
  type        = string
  description = "Name of the deployment: CloudWatch namespace, or Timestream database."
}

variable "table" {
  type        = string
  description = "Timestream only: name of the table, as schemas/metrics.json has it."
}

variable "backend" {
  type        = string
  description = "cloudwatch or timestream."

  validation {
    condition     = contains(["cloudwatch", "timestream"], var.backend)
    error_message = "The metrics backend is cloudwatch or timestream. For InfluxDB write a port: the README says how."
  }
}

variable "retention" {
  type = object({
    memory_hours  = number
    magnetic_days = number
  })
  default     = { memory_hours = 24, magnetic_days = 365 }
  description = "Timestream only: how long points stay in memory and how long on magnetic storage."
}
