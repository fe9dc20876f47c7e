# Plans only, with a mocked provider.
mock_provider "aws" {
  mock_data "aws_region" {
    defaults = { region = "eu-west-1" }
  }
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }
}

variables {
  name                 = "foyer"
  behaviours           = jsondecode(file("../../../schemas/behaviours.json"))
  api_domain_name      = "abc.execute-api.eu-west-1.amazonaws.com"
  api_stage            = "0123456789abcdef0123456789abcdef"
  bucket_domain_name   = "foyer.s3.eu-west-1.amazonaws.com"
  origin_shield_region = "eu-west-1"
}

run "without_a_websocket_api" {
  command = plan

  assert {
    condition     = toset(keys(output.origins)) == toset(["api", "site_bucket"]) && !contains([for behaviour in output.behaviours : behaviour.name], "websocket") && keys(aws_cloudfront_function.this) == ["not_found"]
    error_message = "Without a WebSocket API neither origin nor behaviour names it."
  }

  assert {
    condition     = toset(keys(aws_cloudfront_cache_policy.this)) == toset([for name in keys(var.behaviours.caches) : name if name != "none"])
    error_message = "Every cache but the one that keeps nothing is a policy."
  }

  assert {
    condition     = aws_cloudfront_cache_policy.this["status"].min_ttl == 1 && aws_cloudfront_cache_policy.this["status"].max_ttl == 1
    error_message = "The status document is kept for a second, whatever the bucket says."
  }

  assert {
    condition     = output.origins["site_bucket"].origin_shield_region == "eu-west-1" && output.origins["site_bucket"].secret_header == null && output.origins["api"].secret_header == "x-foyer-origin-secret" && output.origins["api"].origin_shield_region == null
    error_message = "The bucket is shielded; the API is sent the secret."
  }

  assert {
    condition     = output.origins["api"].origin_path == "/0123456789abcdef0123456789abcdef" && output.origins["site_bucket"].origin_path == null
    error_message = "The API is asked at its stage: at no other is there anything."
  }

  assert {
    condition     = [for behaviour in output.behaviours : behaviour.name if behaviour.gate] == ["site"]
    error_message = "The gate stands before the site and nowhere else."
  }

  assert {
    condition     = toset(one(one(aws_cloudfront_origin_request_policy.own_cookies.cookies_config).cookies).items) == toset(var.behaviours.own_cookies) && one(aws_cloudfront_origin_request_policy.own_cookies.headers_config).header_behavior == "allExcept"
    error_message = "The API is sent our cookies and no others, and every header but Host."
  }

  assert {
    condition     = alltrue([for status in ["500", "502", "503", "504"] : output.error_caching_min_ttl[status] == 0])
    error_message = "A server's error stays with whom it happened to."
  }
}

run "with_a_websocket_api_and_an_origin_that_knows_its_own_name" {
  command = plan

  variables {
    websocket = { domain_name = "def.execute-api.eu-west-1.amazonaws.com", stage = "live" }
    site      = { forward_host_header = false }
  }

  assert {
    condition     = output.origins["websocket"].domain_name == "def.execute-api.eu-west-1.amazonaws.com" && output.origins["websocket"].secret_header != null
    error_message = "The WebSocket API is an origin that is sent the secret."
  }

  assert {
    condition     = strcontains(aws_cloudfront_function.this["stage"].code, "request.uri = '/live'")
    error_message = "The path becomes the stage."
  }

  assert {
    condition     = strcontains(aws_cloudfront_function.this["stage"].code, "request.headers['${var.behaviours.viewer_host_header}'] = { value: request.headers.host.value }")
    error_message = "Without the host the browser meant, the API refuses every WebSocket."
  }

  assert {
    condition     = [for behaviour in output.behaviours : behaviour.origin_request_policy_id if behaviour.name == "site"] == ["b689b0a8-53d0-40ab-baf2-68738e2966ac"]
    error_message = "The origin is sent everything but Host."
  }
}

run "with_a_cache_policy_for_the_site" {
  command = plan

  variables {
    site = { cache_policy_id = "658327ea-f89d-4fab-a63d-7e88639e58f6" }
  }

  assert {
    condition     = !contains(keys(aws_cloudfront_cache_policy.this), "site") && [for behaviour in output.behaviours : behaviour.cache_policy_id if behaviour.name == "site"] == ["658327ea-f89d-4fab-a63d-7e88639e58f6"]
    error_message = "The policy given is used, and none made."
  }
}

run "a_behaviour_without_its_cache" {
  command = plan

  variables {
    behaviours = { prefix = "/.waiting-room", origin_secret_header = "x", origins = {}, caches = {}, behaviours = [{ path_pattern = "*", cache = "site", origin = "none" }] }
  }

  expect_failures = [var.behaviours]
}
