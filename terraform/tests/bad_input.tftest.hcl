# Every rule about a variable, each broken by some value here. The values of one run are wrong independently of each
# other: what depends on security or existing_distribution is not looked at where those are wrong. tests/terraform also
# looks at what is said.
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

run "wrong_values_1" {
  command = plan

  variables {
    name                   = "a"
    origin_domain_name     = "https://origin.example.com"
    expected_joins_per_sec = 0
    artifacts_dir          = "build/"
    distribution           = { domain = { names = ["example.com"] } }
    gate                   = { on_missing_snapshot = "open" }
    functions              = { log_retention_days = 31 }
    tables                 = { kms_key_arn = "alias/tables" }
    archive                = { infrequent_access_after_days = 10 }
    metrics                = { backend = "influxdb" }
    alerts                 = { origination_identity_arn = "+15550100" }
    phone_codes            = { origination_identity = "+15550100", notify_code_configuration = "My codes" }
    monitoring             = { emails = ["a.example.com"] }
    origin_secret          = "secret"
  }

  expect_failures = [
    var.name,
    var.origin_domain_name,
    var.expected_joins_per_sec,
    var.artifacts_dir,
    var.distribution,
    var.gate,
    var.functions,
    var.tables,
    var.archive,
    var.metrics,
    var.alerts,
    var.phone_codes,
    var.monitoring,
    var.origin_secret,
  ]
}

run "wrong_values_2" {
  command = plan

  variables {
    name                   = "Foyer"
    origin_domain_name     = "192.0.2.1"
    expected_joins_per_sec = 100001
    artifacts_dir          = ""
    distribution           = { domain = { names = ["example.com"], certificate_arn = "arn:aws:acm:eu-west-1:123456789012:certificate/1", address_records = true, minimum_protocol_version = "TLSv1" } }
    functions              = { memory_mb = { bouncer = 64 } }
    archive                = { glacier_after_days = 59 }
    monitoring             = { budget = { monthly_usd = 0, emails = ["a@example.com"] } }
    origin_secret          = "0123456789abcdef 0123456789abcdef"
  }

  expect_failures = [
    var.name,
    var.origin_domain_name,
    var.expected_joins_per_sec,
    var.artifacts_dir,
    var.distribution,
    var.functions,
    var.archive,
    var.monitoring,
    var.origin_secret,
  ]
}

run "wrong_values_3" {
  command = plan

  variables {
    name                   = "foyer-"
    origin_domain_name     = "origin.example.com/shop"
    expected_joins_per_sec = 1.5
    distribution           = { origin = { protocol_policy = "http" } }
    functions              = { memory_mb = { doorman = 512 } }
    archive                = { expire_after_days = 90 }
    monitoring             = { alarms = false, emails = ["a@example.com"] }
  }

  expect_failures = [
    var.name,
    var.origin_domain_name,
    var.expected_joins_per_sec,
    var.distribution,
    var.functions,
    var.archive,
    var.monitoring,
  ]
}

run "wrong_values_4" {
  command = plan

  variables {
    name               = "a-name-that-is-too-long"
    origin_domain_name = null
    distribution       = { origin = { path = "shop/" } }
    functions          = { layer_arns = ["arn:aws:lambda:eu-west-1:123456789012:layer:collector"] }
    monitoring         = { budget = { monthly_usd = 5, emails = [] } }
  }

  expect_failures = [
    var.name,
    var.origin_domain_name,
    var.distribution,
    var.functions,
    var.monitoring,
  ]
}

run "wrong_values_5" {
  command = plan

  variables {
    origin_domain_name    = "origin.example.com"
    existing_distribution = { arn = "arn:aws:cloudfront::123456789012:distribution/E2EXAMPLE" }
    distribution          = { origin = { read_timeout = 121 } }
  }

  expect_failures = [
    var.origin_domain_name,
    var.distribution,
  ]
}

run "wrong_values_6" {
  command = plan

  variables {
    origin_domain_name    = null
    existing_distribution = { arn = "E2EXAMPLE" }
    distribution          = { error_page_path = "unavailable.html" }
  }

  expect_failures = [
    var.existing_distribution,
    var.distribution,
  ]
}

run "wrong_values_7" {
  command = plan

  variables {
    origin_domain_name    = null
    existing_distribution = { arn = "arn:aws:cloudfront::123456789012:distribution/E2EXAMPLE", site_url = "example.com" }
    distribution          = { price_class = "PriceClass_300" }
  }

  expect_failures = [
    var.existing_distribution,
    var.distribution,
  ]
}

run "wrong_values_8" {
  command = plan

  variables {
    distribution   = { domain = { names = [], hosted_zone_id = "Z1" } }
    security       = { managed_rule_groups = [{ name = "CommonRuleSet" }] }
    cors_origins   = ["https://shop.example.org/"]
    retention_days = { places = 0.5, minutes = 4000 }
  }

  expect_failures = [
    var.distribution,
    var.security,
    var.cors_origins,
    var.retention_days,
  ]
}

run "wrong_values_9" {
  command = plan

  variables {
    security = { requests_per_5_min = 5, blocked_requests_per_5_min = 50, bots = { labels = { robots = [] } } }
  }

  expect_failures = [var.security]
}

run "wrong_values_10" {
  command = plan

  variables {
    security = { firewall = true, web_acl_arn = "arn:aws:wafv2:us-east-1:123456789012:global/webacl/mine/1" }
  }

  expect_failures = [var.security]
}

run "wrong_values_11" {
  command = plan

  variables {
    origin_domain_name    = null
    existing_distribution = { arn = "arn:aws:cloudfront::123456789012:distribution/E2EXAMPLE" }
    security              = { shield_advanced = true }
  }

  expect_failures = [var.existing_distribution]
}

run "wrong_values_12" {
  command = plan

  variables {
    security = { web_acl_arn = "arn:aws:wafv2:eu-west-1:123456789012:regional/webacl/mine/1" }
  }

  expect_failures = [var.security]
}

run "wrong_values_13" {
  command = plan

  variables {
    security = { challenge = true }
  }

  expect_failures = [var.security]
}
