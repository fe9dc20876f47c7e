variable "region" {
  type        = string
  default     = "eu-west-1"
  description = "AWS Region of everything that is not at the edge."
}

variable "origin_domain_name" {
  type        = string
  description = "Host name of the shop's own servers."
}

variable "images_cache_policy_id" {
  type        = string
  default     = "658327ea-f89d-4fab-a63d-7e88639e58f6"
  description = "Cache policy of the shop's pictures: Managed-CachingOptimized of AWS."
}

variable "artifacts_dir" {
  type        = string
  default     = null
  description = "Directory with the zips of a release; null for build/ of this checkout."
}
