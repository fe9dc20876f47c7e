variable "name" {
  type        = string
  description = "Name of the deployment; the bucket's name starts with it."
}

variable "distribution_arn" {
  type        = string
  description = "ARN of the only distribution that may read the bucket."
}

variable "snapshot" {
  type = object({
    key           = string
    cache_control = string
    issuer        = string
  })
  sensitive   = true
  description = "Where the first, empty gate snapshot lies, how long it is kept by caches, and the issuer whose tokens it is about."
}
