variable "region" {
  type        = string
  default     = "eu-west-1"
  description = "AWS Region of everything that is not at the edge."
}

variable "origin_domain_name" {
  type        = string
  description = "Host name of the site's own servers. They are sent the visitor's Host header."
}

variable "domain_name" {
  type        = string
  description = "The site's domain; www. of it is served too."
}

variable "hosted_zone_id" {
  type        = string
  description = "Id of the domain's Route 53 zone."
}

variable "address_records" {
  type        = bool
  default     = false
  description = "Whether the domain leads to the waiting room: false until everything has been tried, true to cut over."
}

variable "origination_identity_arn" {
  type        = string
  description = "ARN of a phone number, sender id or pool of AWS End User Messaging."
}

variable "notify_code_configuration" {
  type        = string
  description = "Id or ARN of a notify code configuration of AWS End User Messaging, with a template for each channel that zones use."
}

variable "email" {
  type        = string
  description = "Who is told of alarms and of the budget."
}

variable "artifacts_dir" {
  type        = string
  default     = null
  description = "Directory with the zips of a release; null for build/ of this checkout."
}
