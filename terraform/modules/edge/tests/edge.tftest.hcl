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
  name           = "foyer"
  origin_secret  = "secret"
  gatekeeper_arn = "arn:aws:lambda:us-east-1:123456789012:function:gatekeeper:1"
  site           = { domain_name = "origin.example.com" }
  origins = {
    api         = { domain_name = "abc.execute-api.eu-west-1.amazonaws.com", secret_header = "x-secret" }
    site_bucket = { domain_name = "foyer.s3.eu-west-1.amazonaws.com", origin_access_control_id = "E1", origin_shield_region = "eu-west-1" }
  }
  error_caching_min_ttl = { "404" = 1, "500" = 0, "502" = 0, "503" = 0, "504" = 0 }
  behaviours = [
    { path_pattern = "/.waiting-room/v1/*", gate = false, origin_id = "api", allowed_methods = ["GET", "HEAD"], cache_policy_id = "1" },
    { path_pattern = "*", gate = true, origin_id = "site", allowed_methods = ["GET", "HEAD"], cache_policy_id = "2" },
  ]
}

run "with_the_name_that_cloudfront_gives" {
  command = plan

  assert {
    condition     = length(aws_cloudfront_distribution.this.ordered_cache_behavior[0].lambda_function_association) == 0 && one(aws_cloudfront_distribution.this.default_cache_behavior[0].lambda_function_association).lambda_arn == var.gatekeeper_arn
    error_message = "The gatekeeper sees what goes to the site and nothing else."
  }

  assert {
    condition     = one([for origin in aws_cloudfront_distribution.this.origin : one(origin.custom_header).name if length(origin.custom_header) > 0]) == "x-secret"
    error_message = "The API is sent the secret."
  }

  assert {
    condition     = one(aws_cloudfront_distribution.this.viewer_certificate).cloudfront_default_certificate && length(aws_acm_certificate.this) == 0 && length(aws_route53_record.address) == 0
    error_message = "Without a domain nothing is made for one."
  }

  assert {
    condition     = tomap({ for each in aws_cloudfront_distribution.this.custom_error_response : tostring(each.error_code) => each.error_caching_min_ttl }) == var.error_caching_min_ttl && alltrue([for each in aws_cloudfront_distribution.this.custom_error_response : try(length(each.response_page_path), 0) == 0])
    error_message = "An error is kept as long as is said for its status, and shown as it is."
  }
}

run "with_a_domain_and_its_zone" {
  command = plan

  variables {
    domain             = { names = ["example.com", "www.example.com"], hosted_zone_id = "Z1", address_records = true }
    error_page_path    = "/sorry.html"
    access_logs_bucket = "logs.s3.amazonaws.com"
    web_acl_arn        = "arn:aws:wafv2:us-east-1:123456789012:global/webacl/mine/1"
  }

  override_resource {
    target = aws_acm_certificate.this
    values = {
      domain_validation_options = [
        { domain_name = "example.com", resource_record_name = "_1.example.com.", resource_record_type = "CNAME", resource_record_value = "_1.acm" },
        { domain_name = "www.example.com", resource_record_name = "_2.example.com.", resource_record_type = "CNAME", resource_record_value = "_2.acm" },
      ]
    }
  }

  assert {
    condition     = one(aws_acm_certificate.this).region == "us-east-1" && toset(keys(aws_route53_record.validation)) == toset(var.domain.names)
    error_message = "The certificate is made in us-east-1 and validated in the zone."
  }

  assert {
    condition     = toset(keys(aws_route53_record.address)) == toset(["example.com A", "example.com AAAA", "www.example.com A", "www.example.com AAAA"])
    error_message = "Every name leads to the distribution, by IPv4 and IPv6."
  }

  assert {
    condition     = alltrue([for record in aws_route53_record.address : record.allow_overwrite]) && one(aws_cloudfront_distribution.this.viewer_certificate).minimum_protocol_version == "TLSv1.2_2025"
    error_message = "A name that led elsewhere is cut over, and old TLS is refused."
  }

  assert {
    condition     = { for each in aws_cloudfront_distribution.this.custom_error_response : each.error_code => each.error_caching_min_ttl if each.response_page_path == "/sorry.html" } == { "503" = 0 } && one(aws_cloudfront_distribution.this.logging_config).bucket == "logs.s3.amazonaws.com" && aws_cloudfront_distribution.this.web_acl_id == var.web_acl_arn
    error_message = "Error page, access logs and web ACL are set."
  }
}

run "before_a_live_domain_is_cut_over" {
  command = plan

  variables {
    domain = { names = ["example.com"], hosted_zone_id = "Z1", minimum_protocol_version = "TLSv1.3_2025" }
  }

  override_resource {
    target = aws_acm_certificate.this
    values = {
      domain_validation_options = [
        { domain_name = "example.com", resource_record_name = "_1.example.com.", resource_record_type = "CNAME", resource_record_value = "_1.acm" },
      ]
    }
  }

  assert {
    condition     = keys(aws_route53_record.validation) == ["example.com"] && length(aws_route53_record.address) == 0 && aws_cloudfront_distribution.this.aliases == toset(["example.com"])
    error_message = "The certificate is validated and the distribution knows the name, which still leads to where it led."
  }

  assert {
    condition     = one(aws_cloudfront_distribution.this.viewer_certificate).minimum_protocol_version == "TLSv1.3_2025"
    error_message = "TLS is as asked."
  }
}

run "with_a_certificate" {
  command = plan

  variables {
    domain = { names = ["example.com"], certificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/1" }
  }

  assert {
    condition     = one(aws_cloudfront_distribution.this.viewer_certificate).acm_certificate_arn == var.domain.certificate_arn && length(aws_acm_certificate.this) == 0 && length(aws_route53_record.address) == 0
    error_message = "A certificate that is there is used; without a zone the customer points the name himself."
  }
}

run "errors_that_everybody_would_get" {
  command = plan

  variables {
    error_caching_min_ttl = { "404" = 1, "502" = 0, "503" = 0, "504" = 0 }
  }

  expect_failures = [var.error_caching_min_ttl]
}

run "behaviours_without_an_end" {
  command = plan

  variables {
    behaviours = []
  }

  expect_failures = [var.behaviours]
}

run "an_origin_that_is_the_distribution" {
  command = plan

  variables {
    domain = { names = ["www.example.com", "Origin.example.com"], certificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/1" }
  }

  expect_failures = [var.domain]
}
