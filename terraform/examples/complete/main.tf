# Everything switched on: the site's own domain and certificate, firewall, alarms by e-mail, dashboard, budget, alerts by
# SMS, codes to phones, archive and traces, sized for a large sale.
provider "aws" {
  region = var.region

  default_tags {
    tags = { Service = "waiting-room" }
  }
}

module "waiting_room" {
  source = "../.."

  artifacts_dir          = var.artifacts_dir
  name                   = "shop"
  origin_domain_name     = var.origin_domain_name
  expected_joins_per_sec = 2000

  distribution = {
    domain          = { names = [var.domain_name, "www.${var.domain_name}"], hosted_zone_id = var.hosted_zone_id, address_records = var.address_records }
    error_page_path = "/.waiting-room/pages/unavailable.html"
  }

  functions = { tracing = true, log_retention_days = 90 }

  security = {
    firewall            = true
    requests_per_5_min  = 500
    challenge           = true
    managed_rule_groups = [{ name = "AWSManagedRulesAmazonIpReputationList", count = true }, { name = "AWSManagedRulesKnownBadInputsRuleSet" }]
  }

  alerts  = { origination_identity_arn = var.origination_identity_arn }
  archive = { expire_after_days = 730 }

  phone_codes = {
    origination_identity      = var.origination_identity_arn
    notify_code_configuration = var.notify_code_configuration
  }

  monitoring = {
    emails = [var.email]
    budget = { monthly_usd = 500, emails = [var.email] }
  }
}

# What visitors see instead of a 503 of CloudFront. Publisher and exchanger leave it alone.
resource "aws_s3_object" "unavailable" {
  bucket        = module.waiting_room.site_bucket
  key           = ".waiting-room/pages/unavailable.html"
  source        = "${path.module}/unavailable.html"
  source_hash   = filemd5("${path.module}/unavailable.html")
  content_type  = "text/html; charset=utf-8"
  cache_control = "public, max-age=60"
}

# For the people who run sales; attach it to their role or permission set.
resource "aws_iam_policy" "operators" {
  name        = "shop-waiting-room-operators"
  description = "Zones, live control, keys and look-up of the waiting room."
  policy      = module.waiting_room.operator_policy
}
