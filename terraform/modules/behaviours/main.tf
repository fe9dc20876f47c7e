locals {
  # A behaviour whose origin is not there is left out: what it would have answered, the catch-all under the prefix does.
  all = [
    for behaviour in var.behaviours.behaviours : behaviour
    if behaviour.origin != "websocket" || var.websocket != null
  ]

  # Ours, and policies of AWS, the same in every account, by what schemas/behaviours.json calls their effect:
  # https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-managed-origin-request-policies.html
  forward_policies = {
    all_viewer             = "216adef6-5c7f-47e4-b989-5492eafa07d3"
    all_viewer_except_host = "b689b0a8-53d0-40ab-baf2-68738e2966ac"
    own_cookies            = aws_cloudfront_origin_request_policy.own_cookies.id
    none                   = null
  }
  forwards = {
    for name, origin in var.behaviours.origins : name =>
    name == "site" && !var.site.forward_host_header ? "all_viewer_except_host" : origin.forward
  }

  # Managed-CachingDisabled does what the cache `none` says; an account may have only 20 policies of its own.
  no_cache_policy_id = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
  own_caches = {
    for name, cache in var.behaviours.caches : name => cache
    if name != "none" && !(name == "site" && var.site.cache_policy_id != null)
  }
  cache_policy_ids = merge(
    { for name, policy in aws_cloudfront_cache_policy.this : name => policy.id },
    { none = local.no_cache_policy_id },
    { for id in [var.site.cache_policy_id] : "site" => id if id != null },
  )

  functions = {
    for name, function in {
      not_found = {
        comment = "Answers 404 where nothing is."
        code    = file("${path.module}/not_found.js")
        wanted  = true
      }
      stage = {
        comment = "Turns the path that browsers open into the stage of the WebSocket API."
        code = templatefile("${path.module}/stage.js", {
          stage       = try(var.websocket.stage, "")
          host_header = var.behaviours.viewer_host_header
        })
        wanted = var.websocket != null
      }
    } : name => function if function.wanted
  }
}

# Whatever a distribution uses is destroyed after the distribution has let go of it, or AWS refuses: Terraform knows that
# order only of what has create_before_destroy, and only once it is in the state. Names follow the deployment's, so that
# old and new can stand side by side.
resource "aws_cloudfront_cache_policy" "this" {
  for_each = local.own_caches

  name    = "${var.name}-${each.key}"
  comment = "Bounds of what is kept; within them Cache-Control decides."

  min_ttl     = each.value.min_ttl_sec
  default_ttl = each.value.default_ttl_sec
  max_ttl     = each.value.max_ttl_sec

  # The site may answer by host, query and cookie; what lies in the bucket is the same for everybody.
  parameters_in_cache_key_and_forwarded_to_origin {
    enable_accept_encoding_brotli = true
    enable_accept_encoding_gzip   = true

    headers_config {
      header_behavior = each.key == "site" ? "whitelist" : "none"

      dynamic "headers" {
        for_each = each.key == "site" ? [["Authorization", "Host", "Origin"]] : []

        content {
          items = [for header in headers.value : header if header != "Host" || var.site.forward_host_header]
        }
      }
    }

    query_strings_config {
      query_string_behavior = each.key == "site" ? "all" : "none"
    }

    cookies_config {
      cookie_behavior = each.key == "site" ? "all" : "none"
    }
  }

  lifecycle {
    create_before_destroy = true
  }
}

# A site's own cookies would use up what an HTTP API takes, 10,240 bytes of request line and headers together:
# https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
# In the names of cookies * stands for any run of characters:
# https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/Cookies.html
resource "aws_cloudfront_origin_request_policy" "own_cookies" {
  name    = "${var.name}-own-cookies"
  comment = "Everything but Host and the cookies of others."

  headers_config {
    header_behavior = "allExcept"

    headers {
      items = ["Host"]
    }
  }

  query_strings_config {
    query_string_behavior = "all"
  }

  cookies_config {
    cookie_behavior = "whitelist"

    cookies {
      items = var.behaviours.own_cookies
    }
  }

  lifecycle {
    create_before_destroy = true
  }
}

locals {
  file_headers = merge(var.behaviours.headers.every, var.behaviours.headers.file)

  # What CloudFront has no setting of its own for.
  other_headers = {
    for name, value in local.file_headers : name => value
    if !contains(["content-security-policy", "referrer-policy", "strict-transport-security", "x-content-type-options", "x-frame-options"], name)
  }
}

resource "aws_cloudfront_response_headers_policy" "this" {
  #checkov:skip=CKV_AWS_259:Whether subdomains speak HTTPS only is the site's business, and its own header is kept.
  name    = "${var.name}-files"
  comment = "Sent with everything from the site bucket."

  security_headers_config {
    content_security_policy {
      content_security_policy = local.file_headers["content-security-policy"]
      override                = true
    }

    # nosniff, the only value there is.
    content_type_options {
      override = true
    }

    frame_options {
      frame_option = local.file_headers["x-frame-options"]
      override     = true
    }

    referrer_policy {
      referrer_policy = local.file_headers["referrer-policy"]
      override        = true
    }

    strict_transport_security {
      access_control_max_age_sec = tonumber(trimprefix(local.file_headers["strict-transport-security"], "max-age="))
      override                   = false
    }
  }

  custom_headers_config {
    dynamic "items" {
      for_each = local.other_headers

      content {
        header   = items.key
        value    = items.value
        override = true
      }
    }
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_cloudfront_origin_access_control" "this" {
  name                              = "${var.name}-site-bucket"
  description                       = "CloudFront signs what it asks of the site bucket."
  origin_access_control_origin_type = "s3"
  signing_behavior                  = "always"
  signing_protocol                  = "sigv4"

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_cloudfront_function" "this" {
  for_each = local.functions

  name    = "${var.name}-${replace(each.key, "_", "-")}"
  comment = each.value.comment
  runtime = "cloudfront-js-2.0"
  code    = each.value.code
  publish = true

  lifecycle {
    create_before_destroy = true
  }
}
