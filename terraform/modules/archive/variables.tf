variable "name" {
  type        = string
  description = "Name of the deployment; names of what is made here start with it."
}

variable "schema" {
  type = object({
    table         = string
    prefix        = string
    errors_prefix = string
    partitions    = list(string)
    fields        = map(object({ type = string, description = string }))
    questions     = map(object({ description = string, parameters = list(string) }))
  })
  description = "The decoded schemas/archive.json."
}

variable "questions" {
  type        = map(string)
  description = "SQL of each question of the schema, from schemas/archive/."
}

variable "tiers" {
  type = object({
    infrequent_access_after_days = number
    glacier_after_days           = number
    expire_after_days            = number
  })
  description = "Days after which a file moves to Standard-Infrequent Access, then to Glacier, and then goes. Athena does not read what is in Glacier."

  validation {
    condition = (
      var.tiers.infrequent_access_after_days >= 30 &&
      var.tiers.glacier_after_days >= var.tiers.infrequent_access_after_days + 30 &&
      var.tiers.expire_after_days > var.tiers.glacier_after_days
    )
    error_message = "S3 wants 30 days before Infrequent Access, another 30 before Glacier, and a file must expire after both: for example 30, 90 and 365."
  }
}

variable "force_destroy" {
  type        = bool
  default     = false
  description = "Whether destroying the deployment may delete what was archived."
}

variable "log_retention_days" {
  type        = number
  default     = 30
  description = "Days that delivery errors are kept."
}
