variable "name" {
  type        = string
  description = "Name of the deployment; names of what is made here start with it."
}

variable "schema" {
  type = object({
    item_kinds = list(object({ attributes = map(string) }))
  })
  description = "The decoded schemas/tables/queue.json: its attributes are the columns of the archive."
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
