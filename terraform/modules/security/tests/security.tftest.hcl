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
  bot_header          = "x-amzn-waf-foyer-bot"
}

run "rules_in_order" {
  command = plan

  assert {
    condition     = { for rule in aws_wafv2_web_acl.this.rule : rule.name => rule.priority } == { snapshot = 0, rate = 1, AWSManagedRulesKnownBadInputsRuleSet = 10, AWSManagedRulesAmazonIpReputationList = 11 }
    error_message = "The snapshot is let through before anything counts."
  }

  assert {
    condition     = [for rule in aws_wafv2_web_acl.this.rule : rule.statement[0].or_statement[0].statement[1].regex_match_statement[0].regex_string if rule.name == "snapshot"] == ["^/\\.waiting-room/exits/[a-z0-9-]{1,40}\\.json$"]
    error_message = "So are exit lists, and nothing that only begins like one."
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

run "with_labels" {
  command = plan

  variables {
    bots = {
      inspection_level = "COMMON"
      labels           = { data_center = "awswaf:managed:aws:bot-control:signal:known_bot_data_center", automated = "awswaf:managed:aws:bot-control:signal:automated_browser" }
    }
  }

  assert {
    condition     = toset([for rule in aws_wafv2_web_acl.this.rule : "${rule.name}=${rule.priority}" if startswith(rule.name, "bot-")]) == toset(["bot-no=3", "bot-automated=40", "bot-data_center=41", "bot-control=30"])
    error_message = "What a client sends is overwritten first, then labels are given, then they are told."
  }

  assert {
    condition = alltrue(flatten([
      for rule in aws_wafv2_web_acl.this.rule : [
        for header in flatten([for action in rule.action : [for count in action.count : [for handling in count.custom_request_handling : handling.insert_header]]]) :
        header.name == "foyer-bot" && header.value == trimprefix(rule.name, "bot-")
      ] if contains(["bot-no", "bot-automated", "bot-data_center"], rule.name)
    ]))
    error_message = "AWS WAF puts x-amzn-waf- before the name itself."
  }

  assert {
    condition     = one(flatten([for rule in aws_wafv2_web_acl.this.rule : [for match in rule.statement[0].byte_match_statement : match.search_string] if rule.name == "bot-no"])) == "/"
    error_message = "Every request has the header written."
  }

  assert {
    condition     = one([for rule in aws_wafv2_web_acl.this.rule : length(one(rule.override_action[*].count)) if rule.name == "bot-control"]) == 1
    error_message = "Bot Control labels and blocks nobody."
  }
}
