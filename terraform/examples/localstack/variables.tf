variable "origin_domain_name" {
  type        = string
  default     = "host.docker.internal"
  description = "Host name at which LocalStack reaches the site's own servers."
}
