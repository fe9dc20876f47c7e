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
  name                       = "foyer"
  prefix                     = "/.waiting-room"
  snapshot_path              = "/.waiting-room/gate-1.json"
  requests_per_5_min         = 300
  blocked_requests_per_5_min = 100000
  managed_rule_groups        = [{ name = "AWSManagedRulesKnownBadInputsRuleSet" }, { name = "AWSManagedRulesAmazonIpReputationList", count = true }]
  challenge                  = false
  bot_header                 = "x-amzn-waf-foyer-bot"
}

run "rules_in_order" {
  command = plan

  assert {
    condition     = { for rule in aws_wafv2_web_acl.this.rule : rule.name => rule.priority } == { snapshot = 0, flood = 1, crowd = 2, AWSManagedRulesKnownBadInputsRuleSet = 10, AWSManagedRulesAmazonIpReputationList = 11 }
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

run "a_crowd_behind_one_address_is_challenged_and_never_refused" {
  command = plan

  assert {
    condition = {
      for rule in aws_wafv2_web_acl.this.rule : rule.name => [length(one(rule.action[*].block)), length(one(rule.action[*].challenge)), one(rule.statement[0].rate_based_statement[*].limit)]
      if contains(["flood", "crowd"], rule.name)
    } == { flood = [1, 0, 100000], crowd = [0, 1, 300] }
    error_message = "What a carrier's address reaches is challenged; only what none reaches is refused."
  }

  assert {
    condition = alltrue([
      for path, wanted in {
        "/.waiting-room/v1/zones/a/enter"        = [true, true]
        "/.waiting-room/v1/zones/a/visitors"     = [true, true]
        "/.waiting-room/v1/zones/a/sessions/me"  = [true, true]
        "/.waiting-room/ws"                      = [true, true]
        "/.waiting-room/v1/confirmations"        = [true, false]
        "/.waiting-room/v1/invitations"          = [true, false]
        "/.waiting-room/v1/zones/a/door"         = [true, false]
        "/.waiting-room/status/a.json"           = [false, false]
        "/.waiting-room/pages/a/index.html"      = [false, false]
        "/events/.waiting-room/v1/zones/a/enter" = [false, false]
        } : wanted == [
        length(regexall(one(flatten([for rule in aws_wafv2_web_acl.this.rule : rule.statement[0].rate_based_statement[0].scope_down_statement[0].regex_match_statement[0].regex_string if rule.name == "flood"])), path)) > 0,
        alltrue(flatten([
          for rule in aws_wafv2_web_acl.this.rule : [
            for statement in rule.statement[0].rate_based_statement[0].scope_down_statement[0].and_statement[0].statement : [
              [for match in statement.regex_match_statement : length(regexall(match.regex_string, path)) > 0],
              [for other in statement.not_statement : [for match in other.statement[0].byte_match_statement : !endswith(path, match.search_string)]],
            ]
          ] if rule.name == "crowd"
        ])),
      ]
    ])
    error_message = "Visitors and WebSockets are counted; servers and the look at the door cannot answer a challenge."
  }

  assert {
    condition     = one([for rule in aws_wafv2_web_acl.this.rule : rule.challenge_config[0].immunity_time_property[0].immunity_time if rule.name == "crowd"]) == 14400
    error_message = "A challenge solved at the door counts until the turn."
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
      version          = "Version_5.0"
      labels = {
        verified    = ["wba:verified"]
        crawler     = ["bot:verified", "bot:user_triggered:verified"]
        automated   = ["signal:automated_browser", "bot:category:"]
        data_center = ["signal:known_bot_data_center"]
      }
    }
  }

  assert {
    condition     = toset([for rule in aws_wafv2_web_acl.this.rule : "${rule.name}=${rule.priority}" if startswith(rule.name, "bot-")]) == toset(["bot-no=5", "bot-control=30", "bot-data_center=40", "bot-automated=41", "bot-crawler=42", "bot-verified=43"])
    error_message = "What a client sends is overwritten first, then labels are given, then the class is told; who is vouched for has the last word."
  }

  assert {
    condition = alltrue(flatten([
      for rule in aws_wafv2_web_acl.this.rule : [
        for header in flatten([for action in rule.action : [for count in action.count : [for handling in count.custom_request_handling : handling.insert_header]]]) :
        header.name == "foyer-bot" && header.value == trimprefix(rule.name, "bot-")
      ] if startswith(rule.name, "bot-") && rule.name != "bot-control"
    ]))
    error_message = "AWS WAF puts x-amzn-waf- before the name itself."
  }

  assert {
    condition     = one(flatten([for rule in aws_wafv2_web_acl.this.rule : [for match in rule.statement[0].byte_match_statement : match.search_string] if rule.name == "bot-no"])) == "/"
    error_message = "Every request has the header written."
  }

  assert {
    condition = {
      for rule in aws_wafv2_web_acl.this.rule : trimprefix(rule.name, "bot-") => flatten([
        [for match in rule.statement[0].label_match_statement : "${match.scope} ${match.key}"],
        [for any in rule.statement[0].or_statement : [for statement in any.statement : [for match in statement.label_match_statement : "${match.scope} ${match.key}"]]],
      ]) if contains(["bot-verified", "bot-crawler", "bot-automated", "bot-data_center"], rule.name)
      } == {
      verified    = ["LABEL wba:verified"]
      crawler     = ["LABEL bot:verified", "LABEL bot:user_triggered:verified"]
      automated   = ["LABEL signal:automated_browser", "NAMESPACE bot:category:"]
      data_center = ["LABEL signal:known_bot_data_center"]
    }
    error_message = "Each class is told for any of its labels, and for all that begin with one that ends in a colon."
  }

  assert {
    condition     = one([for rule in aws_wafv2_web_acl.this.rule : length(one(rule.override_action[*].count)) if rule.name == "bot-control"]) == 1
    error_message = "Bot Control labels and blocks nobody."
  }

  assert {
    condition = alltrue([
      for path, wanted in { enter = true, visitors = true, "visitors/me" = true, access-tokens = true, "sessions/me/renewals" = false } :
      wanted == (length(regexall(one([for rule in aws_wafv2_web_acl.this.rule : rule.statement[0].managed_rule_group_statement[0].scope_down_statement[0].regex_match_statement[0].regex_string if rule.name == "bot-control"]), "/.waiting-room/v1/zones/a/${path}")) > 0)
    ])
    error_message = "Who joins and who claims is looked at, and nobody else paid for."
  }
}
