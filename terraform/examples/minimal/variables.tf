variable "region" {
  type        = string
  default     = "eu-west-1"
  description = "AWS Region of everything that is not at the edge."
}

variable "origin_domain_name" {
  type        = string
  description = "Host name of the site's own servers."
}

variable "artifacts_dir" {
  type        = string
  default     = null
  description = "Directory with the zips of a release; null for build/ of this checkout."
}
