locals {
  # AWS WAF begins the name of every header it writes with this.
  inserted_prefix = "x-amzn-waf-"

  # What is written by default comes before any label is there, a class after the rules that give labels. Of several the
  # last has the say: who AWS WAF vouches for is that, whatever else the request looks like.
  classes = ["data_center", "automated", "crawler", "verified"]
  bot_marks = var.bots == null ? {} : merge(
    { no = { priority = 5, labels = [] } },
    { for index, name in local.classes : name => { priority = 40 + index, labels = var.bots.labels[name] } if contains(keys(var.bots.labels), name) },
  )

  groups = { for index, group in var.managed_rule_groups : group.name => merge(group, { priority = 10 + index }) }
}

resource "aws_wafv2_web_acl" "this" {
  #checkov:skip=CKV_AWS_192:The group for known bad inputs, which has the rule for Log4j, is in the default list.
  #checkov:skip=CKV2_AWS_31:Logs of a web ACL hold addresses of visitors; who wants them says where to.
  region      = "us-east-1"
  name        = var.name
  description = "Keeps crowds of machines from the waiting room of ${var.name}."
  scope       = "CLOUDFRONT"

  default_action {
    allow {}
  }

  visibility_config {
    cloudwatch_metrics_enabled = true
    metric_name                = var.name
    sampled_requests_enabled   = true
  }

  # First of all, and the whole paths: a rule on their start would let everybody past the others, for CloudFront reads
  # /.waiting-room/exits/../v1/ as /.waiting-room/v1/. What lies there is public.
  rule {
    name     = "snapshot"
    priority = 0

    action {
      allow {}
    }

    statement {
      or_statement {
        statement {
          byte_match_statement {
            search_string         = var.snapshot_path
            positional_constraint = "EXACTLY"

            field_to_match {
              uri_path {}
            }

            text_transformation {
              priority = 0
              type     = "NONE"
            }
          }
        }

        statement {
          regex_match_statement {
            regex_string = "^${replace(var.prefix, ".", "\\.")}/exits/[a-z0-9-]{1,40}\\.json$"

            field_to_match {
              uri_path {}
            }

            text_transformation {
              priority = 0
              type     = "NONE"
            }
          }
        }
      }
    }

    visibility_config {
      cloudwatch_metrics_enabled = true
      metric_name                = "${var.name}-snapshot"
      sampled_requests_enabled   = false
    }
  }

  # Beyond what the busiest carrier's address sends: a machine that nothing slows. It gets an answer, and no function runs.
  rule {
    name     = "flood"
    priority = 1

    action {
      block {
        custom_response {
          response_code = 429

          response_header {
            name  = "Retry-After"
            value = "60"
          }
        }
      }
    }

    statement {
      rate_based_statement {
        limit                 = var.blocked_requests_per_5_min
        evaluation_window_sec = 300
        aggregate_key_type    = "IP"

        scope_down_statement {
          regex_match_statement {
            regex_string = "^${replace(var.prefix, ".", "\\.")}/(v1/|ws$)"

            field_to_match {
              uri_path {}
            }

            text_transformation {
              priority = 0
              type     = "URL_DECODE"
            }
          }
        }
      }
    }

    visibility_config {
      cloudwatch_metrics_enabled = true
      metric_name                = "${var.name}-flood"
      sampled_requests_enabled   = true
    }
  }

  # Thirty to a hundred people behind one address of a carrier are beyond this limit: none of them is refused. A browser
  # solves the silent challenge of `enter`, and the token it is given goes with all of its requests; one without a token
  # gets 202 with x-amzn-waf-action, upon which the waiting page goes to `enter`. Servers and the
  # exchanger's look at the door cannot answer one, and the orders of a whole sale come from one address: they are left
  # out. Guide of AWS WAF, "CAPTCHA and Challenge action behavior" and "Best practices for using the CAPTCHA and Challenge
  # actions".
  rule {
    name     = "crowd"
    priority = 2

    action {
      challenge {}
    }

    # From five minutes, the default, to what somebody waits: a turn must not begin with a detour.
    challenge_config {
      immunity_time_property {
        immunity_time = 14400
      }
    }

    statement {
      rate_based_statement {
        limit                 = var.requests_per_5_min
        evaluation_window_sec = 300
        aggregate_key_type    = "IP"

        scope_down_statement {
          and_statement {
            statement {
              regex_match_statement {
                regex_string = "^${replace(var.prefix, ".", "\\.")}/(v1/zones/[^/]+/|ws$)"

                field_to_match {
                  uri_path {}
                }

                text_transformation {
                  priority = 0
                  type     = "URL_DECODE"
                }
              }
            }

            statement {
              not_statement {
                statement {
                  byte_match_statement {
                    search_string         = "/door"
                    positional_constraint = "ENDS_WITH"

                    field_to_match {
                      uri_path {}
                    }

                    text_transformation {
                      priority = 0
                      type     = "URL_DECODE"
                    }
                  }
                }
              }
            }
          }
        }
      }
    }

    visibility_config {
      cloudwatch_metrics_enabled = true
      metric_name                = "${var.name}-crowd"
      sampled_requests_enabled   = true
    }
  }

  dynamic "rule" {
    for_each = local.groups

    content {
      name     = rule.key
      priority = rule.value.priority

      override_action {
        dynamic "none" {
          for_each = rule.value.count ? [] : [true]
          content {}
        }

        dynamic "count" {
          for_each = rule.value.count ? [true] : []
          content {}
        }
      }

      statement {
        managed_rule_group_statement {
          vendor_name = "AWS"
          name        = rule.key
        }
      }

      visibility_config {
        cloudwatch_metrics_enabled = true
        metric_name                = "${var.name}-${rule.key}"
        sampled_requests_enabled   = true
      }
    }
  }

  # A client that sets the header itself gains nothing: it is written into every request, and AWS WAF overwrites what
  # stood there. Of several rules that write it the last that fits has the say.
  dynamic "rule" {
    for_each = local.bot_marks

    content {
      name     = "bot-${rule.key}"
      priority = rule.value.priority

      action {
        count {
          custom_request_handling {
            insert_header {
              name  = trimprefix(var.bot_header, local.inserted_prefix)
              value = rule.key
            }
          }
        }
      }

      statement {
        dynamic "byte_match_statement" {
          for_each = length(rule.value.labels) == 0 ? [true] : []

          content {
            search_string         = "/"
            positional_constraint = "STARTS_WITH"

            field_to_match {
              uri_path {}
            }

            text_transformation {
              priority = 0
              type     = "NONE"
            }
          }
        }

        # AWS WAF wants at least two statements in an or_statement.
        dynamic "label_match_statement" {
          for_each = length(rule.value.labels) == 1 ? rule.value.labels : []

          content {
            scope = endswith(label_match_statement.value, ":") ? "NAMESPACE" : "LABEL"
            key   = label_match_statement.value
          }
        }

        dynamic "or_statement" {
          for_each = length(rule.value.labels) > 1 ? [rule.value.labels] : []

          content {
            dynamic "statement" {
              for_each = or_statement.value

              content {
                label_match_statement {
                  scope = endswith(statement.value, ":") ? "NAMESPACE" : "LABEL"
                  key   = statement.value
                }
              }
            }
          }
        }
      }

      visibility_config {
        cloudwatch_metrics_enabled = true
        metric_name                = "${var.name}-bot-${rule.key}"
        sampled_requests_enabled   = length(rule.value.labels) > 0
      }
    }
  }

  # It labels and blocks nobody; what becomes of a machine is a setting of each zone. Only joins and claims are looked at,
  # and paid.
  dynamic "rule" {
    for_each = var.bots == null ? [] : [var.bots]

    content {
      name     = "bot-control"
      priority = 30

      override_action {
        count {}
      }

      statement {
        managed_rule_group_statement {
          vendor_name = "AWS"
          name        = "AWSManagedRulesBotControlRuleSet"
          version     = rule.value.version

          managed_rule_group_configs {
            aws_managed_rules_bot_control_rule_set {
              inspection_level = rule.value.inspection_level
            }
          }

          scope_down_statement {
            regex_match_statement {
              regex_string = "^${replace(var.prefix, ".", "\\.")}/v1/zones/[^/]+/(enter|visitors(/me)?|access-tokens)$"

              field_to_match {
                uri_path {}
              }

              text_transformation {
                priority = 0
                type     = "URL_DECODE"
              }
            }
          }
        }
      }

      visibility_config {
        cloudwatch_metrics_enabled = true
        metric_name                = "${var.name}-bot-control"
        sampled_requests_enabled   = true
      }
    }
  }

  # Navigations only: an app cannot answer a challenge, and joins with a request of its own.
  dynamic "rule" {
    for_each = var.challenge ? [true] : []

    content {
      name     = "challenge"
      priority = 6

      action {
        challenge {}
      }

      statement {
        regex_match_statement {
          regex_string = "^${replace(var.prefix, ".", "\\.")}/v1/zones/[^/]+/enter$"

          field_to_match {
            uri_path {}
          }

          text_transformation {
            priority = 0
            type     = "URL_DECODE"
          }
        }
      }

      visibility_config {
        cloudwatch_metrics_enabled = true
        metric_name                = "${var.name}-challenge"
        sampled_requests_enabled   = true
      }
    }
  }

  # The distribution lets go of it first.
  lifecycle {
    create_before_destroy = true
  }
}
