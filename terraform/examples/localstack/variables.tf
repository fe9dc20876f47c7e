variable "origin_domain_name" {
  type        = string
  default     = "host.docker.internal"
  description = "Host name at which LocalStack reaches the site's own servers."
}

variable "artifacts_dir" {
  type        = string
  default     = null
  description = "Directory with the zips of a release; null for build/ of this checkout."
}
