output "origins" {
  description = "Origins that a distribution needs for the behaviours, by origin_id, with the `origin_path` that their requests begin with. Send `secret_header` with the origin secret where it is not null."
  value = {
    for name, origin in {
      api = {
        domain_name = var.api_domain_name
        path        = "/${var.api_stage}"
        bucket      = false
      }
      websocket = {
        domain_name = try(var.websocket.domain_name, null)
        path        = null
        bucket      = false
      }
      site_bucket = {
        domain_name = var.bucket_domain_name
        path        = null
        bucket      = true
      }
      } : name => {
      domain_name              = origin.domain_name
      origin_path              = origin.path
      origin_access_control_id = origin.bucket ? aws_cloudfront_origin_access_control.this.id : null
      origin_shield_region     = var.behaviours.origins[name].origin_shield ? var.origin_shield_region : null
      secret_header            = anytrue([for behaviour in local.all : behaviour.origin_secret if behaviour.origin == name]) ? var.behaviours.origin_secret_header : null
    } if name != "websocket" || var.websocket != null
  }
}

output "error_caching_min_ttl" {
  description = "Seconds for which a distribution keeps an error at least, by status: its custom error responses. CloudFront keeps an error for ten seconds otherwise, and gives it to everybody who asks for the same path."
  value       = { for status, seconds in var.behaviours.error_caching_min_ttl_sec : status => seconds }
}

output "behaviours" {
  description = "Behaviours in order of precedence; the last one, with path_pattern *, is the site's and the only one with a gate."
  value = [
    for behaviour in local.all : {
      name         = behaviour.name
      path_pattern = behaviour.path_pattern
      gate         = behaviour.gate
      # Where the edge answers itself CloudFront still wants an origin, which is never asked.
      origin_id                  = behaviour.origin == "none" ? "site_bucket" : behaviour.origin
      allowed_methods            = behaviour.methods
      cache_policy_id            = local.cache_policy_ids[behaviour.cache]
      origin_request_policy_id   = behaviour.origin == "none" ? null : local.forward_policies[local.forwards[behaviour.origin]]
      response_headers_policy_id = try(var.behaviours.origins[behaviour.origin].kind, "") == "bucket" ? aws_cloudfront_response_headers_policy.this.id : null
      viewer_request_function_arn = (
        behaviour.origin == "none" ? aws_cloudfront_function.this["not_found"].arn :
        behaviour.rewrite == "stage" ? aws_cloudfront_function.this["stage"].arn : null
      )
    }
  ]
}
