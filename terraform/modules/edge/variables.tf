variable "name" {
  type        = string
  description = "Name of the deployment; it becomes the distribution's comment."
}

variable "origins" {
  type = map(object({
    domain_name              = string
    origin_path              = optional(string)
    origin_access_control_id = optional(string)
    origin_shield_region     = optional(string)
    secret_header            = optional(string)
  }))
  description = "Output `origins` of the module behaviours."
}

variable "behaviours" {
  type = list(object({
    path_pattern                = string
    gate                        = bool
    origin_id                   = string
    allowed_methods             = list(string)
    cache_policy_id             = string
    origin_request_policy_id    = optional(string)
    response_headers_policy_id  = optional(string)
    viewer_request_function_arn = optional(string)
  }))
  description = "Output `behaviours` of the module behaviours."

  validation {
    condition     = try(var.behaviours[length(var.behaviours) - 1].path_pattern, "") == "*"
    error_message = "The last behaviour must have the path_pattern *: it is what every other path gets."
  }
}

variable "origin_secret" {
  type        = string
  sensitive   = true
  description = "What origins with a secret_header are sent in it."
}

variable "gatekeeper_arn" {
  type        = string
  description = "ARN of a numbered version of the gatekeeper, which sees every request to behaviours with a gate."
}

variable "site" {
  type = object({
    domain_name     = string
    protocol_policy = optional(string, "https-only")
    http_port       = optional(number, 80)
    https_port      = optional(number, 443)
    path            = optional(string, "")
    read_timeout    = optional(number, 30)
  })
  description = "The site's own servers: host name, https-only, http-only or match-viewer, ports, a path in front of every path, and seconds to wait for an answer."
}

variable "domain" {
  type = object({
    names                    = list(string)
    certificate_arn          = optional(string)
    hosted_zone_id           = optional(string)
    address_records          = optional(bool, false)
    minimum_protocol_version = optional(string, "TLSv1.2_2025")
  })
  default     = null
  description = "Host names of the site with a certificate from us-east-1, or with a Route 53 zone in which a certificate's validation and, with address_records, the names' addresses are written; minimum_protocol_version is CloudFront's security policy; null uses the name that CloudFront gives."

  validation {
    condition     = !contains([for name in try(var.domain.names, []) : lower(name)], lower(var.site.domain_name))
    error_message = "The site's own servers have one of the names that lead to the distribution, which would ask itself. Give them a name of their own, such as origin.example.com."
  }
}

variable "price_class" {
  type        = string
  default     = "PriceClass_All"
  description = "Which of CloudFront's locations serve the site."
}

variable "web_acl_arn" {
  type        = string
  default     = null
  description = "ARN of a web ACL with scope CLOUDFRONT."
}

variable "error_caching_min_ttl" {
  type        = map(number)
  description = "Output `error_caching_min_ttl` of the module behaviours: seconds for which an error is kept at least, by status. CloudFront keeps what is not named for ten seconds."

  validation {
    condition     = alltrue([for status in ["500", "502", "503", "504"] : try(var.error_caching_min_ttl[status], 10) == 0])
    error_message = "500, 502, 503 and 504 must be kept for 0 seconds: CloudFront would give one visitor's failure to everybody."
  }
}

variable "error_page_path" {
  type        = string
  default     = null
  description = "Path of a page that visitors see instead of any 503, the site's own included."
}

variable "access_logs_bucket" {
  type        = string
  default     = null
  description = "Domain name of a bucket for CloudFront's access logs."
}
