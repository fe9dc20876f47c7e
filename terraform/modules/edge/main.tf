locals {
  ordered = slice(var.behaviours, 0, length(var.behaviours) - 1)
  default = var.behaviours[length(var.behaviours) - 1]

  own_domain = var.domain != null
}

resource "aws_cloudfront_distribution" "this" {
  #checkov:skip=CKV_AWS_68:A web ACL is an option; it costs more than everything else while nothing is on sale.
  #checkov:skip=CKV2_AWS_47:The managed rules of the security module include known bad inputs.
  #checkov:skip=CKV_AWS_86:Access logs are an option; they hold addresses of visitors.
  #checkov:skip=CKV_AWS_310:There is one site, and it is the customer's; nothing stands in for it.
  #checkov:skip=CKV_AWS_374:Where visitors may come from is the customer's business.
  #checkov:skip=CKV_AWS_305:What / answers is the site's business.
  #checkov:skip=CKV2_AWS_32:Everything of ours has a response headers policy; the site sends its own headers.
  #checkov:skip=CKV_AWS_174:Without a domain of one's own CloudFront's certificate decides about TLS.
  #checkov:skip=CKV2_AWS_42:CloudFront's own certificate serves those without a domain of their own.
  enabled         = true
  comment         = var.name
  is_ipv6_enabled = true
  http_version    = "http2and3"
  price_class     = var.price_class
  aliases         = local.own_domain ? var.domain.names : null
  web_acl_id      = var.web_acl_arn

  origin {
    origin_id   = "site"
    domain_name = var.site.domain_name
    origin_path = var.site.path

    custom_origin_config {
      http_port              = var.site.http_port
      https_port             = var.site.https_port
      origin_protocol_policy = var.site.protocol_policy
      origin_ssl_protocols   = ["TLSv1.2"]
      origin_read_timeout    = var.site.read_timeout
    }
  }

  dynamic "origin" {
    for_each = var.origins

    content {
      origin_id                = origin.key
      domain_name              = origin.value.domain_name
      origin_path              = origin.value.origin_path
      origin_access_control_id = origin.value.origin_access_control_id

      dynamic "custom_header" {
        for_each = origin.value.secret_header == null ? [] : [origin.value.secret_header]

        content {
          name  = custom_header.value
          value = var.origin_secret
        }
      }

      dynamic "custom_origin_config" {
        for_each = origin.value.origin_access_control_id == null ? [true] : []

        content {
          http_port              = 80
          https_port             = 443
          origin_protocol_policy = "https-only"
          origin_ssl_protocols   = ["TLSv1.2"]
        }
      }

      dynamic "origin_shield" {
        for_each = origin.value.origin_shield_region == null ? [] : [origin.value.origin_shield_region]

        content {
          enabled              = true
          origin_shield_region = origin_shield.value
        }
      }
    }
  }

  dynamic "ordered_cache_behavior" {
    for_each = local.ordered

    content {
      path_pattern               = ordered_cache_behavior.value.path_pattern
      target_origin_id           = ordered_cache_behavior.value.origin_id
      allowed_methods            = ordered_cache_behavior.value.allowed_methods
      cached_methods             = ["GET", "HEAD"]
      cache_policy_id            = ordered_cache_behavior.value.cache_policy_id
      origin_request_policy_id   = ordered_cache_behavior.value.origin_request_policy_id
      response_headers_policy_id = ordered_cache_behavior.value.response_headers_policy_id
      viewer_protocol_policy     = "redirect-to-https"
      compress                   = true

      dynamic "function_association" {
        for_each = ordered_cache_behavior.value.viewer_request_function_arn == null ? [] : [ordered_cache_behavior.value.viewer_request_function_arn]

        content {
          event_type   = "viewer-request"
          function_arn = function_association.value
        }
      }

      dynamic "lambda_function_association" {
        for_each = ordered_cache_behavior.value.gate ? [var.gatekeeper_arn] : []

        content {
          event_type   = "viewer-request"
          lambda_arn   = lambda_function_association.value
          include_body = false
        }
      }
    }
  }

  default_cache_behavior {
    target_origin_id           = local.default.origin_id
    allowed_methods            = local.default.allowed_methods
    cached_methods             = ["GET", "HEAD"]
    cache_policy_id            = local.default.cache_policy_id
    origin_request_policy_id   = local.default.origin_request_policy_id
    response_headers_policy_id = local.default.response_headers_policy_id
    viewer_protocol_policy     = "redirect-to-https"
    compress                   = true

    dynamic "lambda_function_association" {
      for_each = local.default.gate ? [var.gatekeeper_arn] : []

      content {
        event_type   = "viewer-request"
        lambda_arn   = lambda_function_association.value
        include_body = false
      }
    }
  }

  # Left to itself CloudFront keeps an error for ten seconds, whatever its Cache-Control says, and gives it to all who ask
  # for that path: https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/custom-error-pages-expiration.html
  dynamic "custom_error_response" {
    for_each = var.error_caching_min_ttl

    content {
      error_code            = custom_error_response.key
      error_caching_min_ttl = custom_error_response.value
      # Over quota, and when the gate takes too long, CloudFront answers with a 503 of its own: no page for people.
      response_code      = custom_error_response.key == "503" && var.error_page_path != null ? 503 : null
      response_page_path = custom_error_response.key == "503" ? var.error_page_path : null
    }
  }

  dynamic "logging_config" {
    for_each = var.access_logs_bucket == null ? [] : [var.access_logs_bucket]

    content {
      bucket          = logging_config.value
      include_cookies = false
      prefix          = "${var.name}/"
    }
  }

  viewer_certificate {
    cloudfront_default_certificate = local.own_domain ? null : true
    acm_certificate_arn            = local.own_domain ? local.certificate_arn : null
    minimum_protocol_version       = local.own_domain ? var.domain.minimum_protocol_version : null
    ssl_support_method             = local.own_domain ? "sni-only" : null
  }

  restrictions {
    geo_restriction {
      restriction_type = "none"
    }
  }
}
