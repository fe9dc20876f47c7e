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
  name                = "foyer"
  prefix              = "/.waiting-room"
  snapshot_path       = "/.waiting-room/gate-1.json"
  requests_per_5_min  = 300
  managed_rule_groups = [{ name = "AWSManagedRulesKnownBadInputsRuleSet" }, { name = "AWSManagedRulesAmazonIpReputationList", count = true }]
  challenge           = false
}

run "rules_in_order" {
  command = plan

  assert {
    condition     = { for rule in aws_wafv2_web_acl.this.rule : rule.name => rule.priority } == { snapshot = 0, rate = 1, AWSManagedRulesKnownBadInputsRuleSet = 10, AWSManagedRulesAmazonIpReputationList = 11 }
    error_message = "The snapshot is let through before anything counts."
  }

  assert {
    condition     = aws_wafv2_web_acl.this.scope == "CLOUDFRONT" && aws_wafv2_web_acl.this.region == "us-east-1"
    error_message = "A web ACL of a distribution is in us-east-1."
  }

  assert {
    condition     = [for rule in aws_wafv2_web_acl.this.rule : rule.name if length(one(rule.override_action[*].count) == null ? [] : one(rule.override_action[*].count)) > 0] == ["AWSManagedRulesAmazonIpReputationList"]
    error_message = "A group that only counts blocks nobody."
  }
}

run "with_a_challenge" {
  command = plan

  variables {
    challenge = true
  }

  assert {
    condition     = [for rule in aws_wafv2_web_acl.this.rule : rule.statement[0].regex_match_statement[0].regex_string if rule.name == "challenge"] == ["^/\\.waiting-room/v1/zones/[^/]+/enter$"]
    error_message = "Whoever enters is challenged."
  }
}
