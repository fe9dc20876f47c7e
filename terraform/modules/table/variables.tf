variable "name" {
  type        = string
  description = "Name of the table."

  validation {
    condition     = can(regex("^[a-zA-Z0-9_.-]{3,255}$", var.name))
    error_message = "A table's name has 3 to 255 letters, digits, hyphens, dots and underscores."
  }
}

variable "schema" {
  type = object({
    partition_key          = object({ name = string, type = string })
    sort_key               = optional(object({ name = string, type = string }))
    ttl_attribute          = string
    stream                 = optional(string)
    point_in_time_recovery = bool
  })
  description = "The table as its file in schemas/tables/ describes it."
}

variable "warm_throughput" {
  type = object({
    read_units_per_sec  = number
    write_units_per_sec = number
  })
  default     = null
  description = "What the table must be able to take at once; null leaves it at what AWS gives a new table (12,000 reads, 4,000 writes a second). AWS charges once for raising it, and never lowers it."

  validation {
    condition     = var.warm_throughput == null || try(var.warm_throughput.read_units_per_sec >= 12000 && var.warm_throughput.write_units_per_sec >= 4000, false)
    error_message = "Every table has 12,000 reads and 4,000 writes a second: give at least these, or null."
  }
}

variable "deletion_protection" {
  type        = bool
  default     = true
  description = "Whether AWS refuses to delete the table."
}

variable "kms_key_arn" {
  type        = string
  default     = null
  description = "Customer-managed key to encrypt with; null uses the key that AWS owns, which costs nothing."
}

variable "alarms" {
  type = object({
    actions           = list(string)
    throttles_per_min = number
  })
  default     = null
  description = "ARNs told when an alarm goes off or ends, and how many refused writes a minute are too many; null makes no alarm."
}
