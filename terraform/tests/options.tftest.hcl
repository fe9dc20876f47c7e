# Every option that changes which resources there are, in as few plans as keep them apart.
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
  mock_data "aws_servicequotas_service_quota" {
    defaults = { value = 40000 }
  }
}

variables {
  artifacts_dir      = "tests/artifacts"
  origin_domain_name = "origin.example.com"
}

run "everything_on" {
  command = plan

  variables {
    distribution = {
      domain             = { names = ["example.com", "www.example.com"], hosted_zone_id = "Z1", address_records = true }
      error_page_path    = "/.waiting-room/pages/unavailable.html"
      access_logs_bucket = "logs.s3.amazonaws.com"
    }
    functions    = { tracing = true, memory_mb = { bouncer = 1024 }, layer_arns = ["arn:aws:lambda:eu-west-1:123456789012:layer:collector:7"] }
    tables       = { kms_key_arn = "arn:aws:kms:eu-west-1:123456789012:key/1" }
    security     = { firewall = true, challenge = true, bots = {}, shield_advanced = true }
    cors_origins = ["https://shop.example.org"]
    monitoring   = { emails = ["a@example.com"], budget = { monthly_usd = 10, emails = ["a@example.com"] } }
    alerts       = { origination_identity_arn = "arn:aws:sms-voice:eu-west-1:123456789012:pool/pool-1" }
    metrics      = { backend = "timestream" }
    phone_codes  = { origination_identity = "arn:aws:sms-voice:eu-west-1:123456789012:pool/pool-1", notify_code_configuration = "ncc-1" }
  }

  assert {
    condition     = local.environment["CODES_CONFIGURATION"] == "ncc-1" && local.environment["CODES_CONFIGURATION_SET"] == "none" && contains(local.given_resources, "codes:service")
    error_message = "Whoever has codes sent says by which configuration, and the function may send them."
  }

  assert {
    condition     = length(module.security) == 1 && length(aws_shield_protection.this) == 1
    error_message = "Firewall and Shield Advanced protection are made when they are asked for."
  }

  assert {
    condition     = output.site_url == "https://example.com"
    error_message = "The site is at the first name of its domain."
  }

  # Managed-AllViewer.
  assert {
    condition     = output.attachment.behaviours[length(output.attachment.behaviours) - 1].origin_request_policy_id == "216adef6-5c7f-47e4-b989-5492eafa07d3"
    error_message = "With a domain the site's servers are sent the host that the visitor asked for."
  }

  assert {
    condition     = jsondecode(aws_s3_object.site.content).site_url == "https://example.com" && aws_s3_object.site.key == "site.json"
    error_message = "The exchanger learns where to look at the door."
  }

  assert {
    condition     = local.has_timestream == local.has_recorder && local.has_alerts == local.has_notifier && length(module.archive) == (local.has_recorder ? 1 : 0)
    error_message = "Archive, Timestream and alerts are made when the function that uses them is there, and not before."
  }
}

run "everything_off" {
  command = plan

  variables {
    check_quotas = false
    distribution = {
      domain               = { names = ["example.com"], certificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/1" }
      forward_host_header  = false
      site_cache_policy_id = "658327ea-f89d-4fab-a63d-7e88639e58f6"
      origin               = { protocol_policy = "http-only", http_port = 8080, path = "/shop" }
    }
    functions     = { reserve_concurrency = false }
    tables        = { deletion_protection = false }
    gate          = { on_missing_snapshot = "pass", skip_destroy = true }
    security      = { web_acl_arn = "arn:aws:wafv2:us-east-1:123456789012:global/webacl/mine/1" }
    monitoring    = { alarms = false, dashboard = false }
    archive       = { enabled = false }
    origin_secret = "0123456789abcdef0123456789abcdef"
  }

  assert {
    condition     = length(module.security) == 0 && length(output.alarm_topic_arns) == 0 && output.archive == null
    error_message = "What is switched off is not made."
  }

  assert {
    condition     = local.environment["CODES_IDENTITY"] == "none" && !contains(local.given_resources, "codes:service")
    error_message = "No code is sent, and nobody may send one, where that is not asked for."
  }

  assert {
    condition     = output.sizing.reserved_concurrency == 0
    error_message = "No function reserves concurrency where reservations are switched off."
  }

  assert {
    condition     = nonsensitive(output.origin_secret) == "0123456789abcdef0123456789abcdef"
    error_message = "A secret that is given is used."
  }

  assert {
    condition     = output.attachment.behaviours[length(output.attachment.behaviours) - 1].cache_policy_id == "658327ea-f89d-4fab-a63d-7e88639e58f6"
    error_message = "A cache policy for the site is used instead of ours."
  }
}

run "attached_to_an_existing_distribution" {
  command = plan

  variables {
    origin_domain_name    = null
    existing_distribution = { arn = "arn:aws:cloudfront::123456789012:distribution/E2EXAMPLE", site_url = "https://example.com" }
    security              = { firewall = true }
  }

  assert {
    condition     = length(module.edge) == 0 && output.distribution == null && length(module.security) == 1
    error_message = "Nothing is made in place of the distribution that is there."
  }

  assert {
    condition     = jsondecode(aws_s3_object.site.content).site_url == "https://example.com"
    error_message = "The exchanger looks at the door of a distribution that was there, too."
  }

  assert {
    condition     = toset(keys(output.attachment.origins)) == toset(local.has_websocket ? ["api", "site_bucket", "websocket"] : ["api", "site_bucket"])
    error_message = "The attachment names the origins of the waiting room and not the site's."
  }

  assert {
    condition     = alltrue([for status in ["500", "502", "503", "504"] : output.attachment.error_caching_min_ttl[status] == 0])
    error_message = "The attachment says for how long errors are kept."
  }

  assert {
    condition     = [for behaviour in output.attachment.behaviours : behaviour.path_pattern if behaviour.gate] == ["*"]
    error_message = "The gate stands before the site and nowhere else."
  }
}

run "in_the_region_of_the_edge" {
  command = plan

  override_data {
    target = data.aws_region.current
    values = { region = "us-east-1" }
  }

  override_data {
    target = module.monitoring.data.aws_region.current
    values = { region = "us-east-1" }
  }

  assert {
    condition     = keys(output.alarm_topic_arns) == ["us-east-1"]
    error_message = "One topic is enough where everything is in us-east-1."
  }
}
