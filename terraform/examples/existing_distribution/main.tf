# A waiting room for a distribution that is there already and stays yours: it gets our origins, our behaviours in front of
# its own, and the gatekeeper on those that lead to the site.
provider "aws" {
  region = var.region
}

module "waiting_room" {
  source = "../.."

  artifacts_dir = var.artifacts_dir
  existing_distribution = {
    arn      = aws_cloudfront_distribution.site.arn
    site_url = "https://${aws_cloudfront_distribution.site.domain_name}"
  }

  # The shop's servers do not know the name that CloudFront gives. With aliases of yours:
  # distribution = { forward_host_header = true }
}

locals {
  attachment = module.waiting_room.attachment

  # All but the last one, which is the site's: that is yours.
  behaviours = slice(local.attachment.behaviours, 0, length(local.attachment.behaviours) - 1)
}

resource "aws_cloudfront_distribution" "site" {
  #checkov:skip=CKV_AWS_86:An example keeps to what attaching takes.
  #checkov:skip=CKV_AWS_68:An example keeps to what attaching takes.
  #checkov:skip=CKV2_AWS_47:An example keeps to what attaching takes.
  #checkov:skip=CKV_AWS_174:An example keeps to what attaching takes.
  #checkov:skip=CKV2_AWS_42:An example keeps to what attaching takes.
  #checkov:skip=CKV_AWS_305:An example keeps to what attaching takes.
  #checkov:skip=CKV_AWS_310:An example keeps to what attaching takes.
  #checkov:skip=CKV_AWS_374:An example keeps to what attaching takes.
  #checkov:skip=CKV2_AWS_32:An example keeps to what attaching takes.
  enabled      = true
  comment      = "The shop"
  http_version = "http2and3"

  origin {
    origin_id   = "shop"
    domain_name = var.origin_domain_name

    custom_origin_config {
      http_port              = 80
      https_port             = 443
      origin_protocol_policy = "https-only"
      origin_ssl_protocols   = ["TLSv1.2"]
    }
  }

  # Yours ends, ours begins: origins of the waiting room.
  dynamic "origin" {
    for_each = local.attachment.origins

    content {
      origin_id                = origin.key
      domain_name              = origin.value.domain_name
      origin_path              = origin.value.origin_path
      origin_access_control_id = origin.value.origin_access_control_id

      dynamic "custom_header" {
        for_each = origin.value.secret_header == null ? [] : [origin.value.secret_header]

        content {
          name  = custom_header.value
          value = module.waiting_room.origin_secret
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

  # Behaviours of the waiting room come first: CloudFront takes the first pattern that fits.
  dynamic "ordered_cache_behavior" {
    for_each = local.behaviours

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
    }
  }

  # A behaviour of yours: every one that leads to something guarded needs the gatekeeper, or it is a way past the gate.
  ordered_cache_behavior {
    path_pattern           = "/images/*"
    target_origin_id       = "shop"
    allowed_methods        = ["GET", "HEAD"]
    cached_methods         = ["GET", "HEAD"]
    cache_policy_id        = var.images_cache_policy_id
    viewer_protocol_policy = "redirect-to-https"
    compress               = true

    lambda_function_association {
      event_type = "viewer-request"
      lambda_arn = local.attachment.gatekeeper_arn
    }
  }

  default_cache_behavior {
    target_origin_id         = "shop"
    allowed_methods          = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"]
    cached_methods           = ["GET", "HEAD"]
    cache_policy_id          = local.attachment.behaviours[length(local.attachment.behaviours) - 1].cache_policy_id
    origin_request_policy_id = local.attachment.behaviours[length(local.attachment.behaviours) - 1].origin_request_policy_id
    viewer_protocol_policy   = "redirect-to-https"
    compress                 = true

    lambda_function_association {
      event_type = "viewer-request"
      lambda_arn = local.attachment.gatekeeper_arn
    }
  }

  # Without these CloudFront gives one visitor's error to everybody for ten seconds. They count for the whole
  # distribution: where you have one of a status already, set its error_caching_min_ttl and take that status out here.
  dynamic "custom_error_response" {
    for_each = local.attachment.error_caching_min_ttl

    content {
      error_code            = custom_error_response.key
      error_caching_min_ttl = custom_error_response.value
    }
  }

  viewer_certificate {
    cloudfront_default_certificate = true
  }

  restrictions {
    geo_restriction {
      restriction_type = "none"
    }
  }
}
