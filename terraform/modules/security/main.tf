locals {
  # AWS WAF begins the name of every header it writes with this.
  inserted_prefix = "x-amzn-waf-"

  # What is written by default comes before any label is there, a label's own value after the rules that give labels.
  bot_marks = var.bots == null ? {} : merge(
    { no = { priority = 3, label = null } },
    { for index, name in sort(keys(var.bots.labels)) : name => { priority = 40 + index, label = var.bots.labels[name] } },
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

  # First of all, and the whole path: a rule on its start would let everybody past the others.
  rule {
    name     = "snapshot"
    priority = 0

    action {
      allow {}
    }

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

    visibility_config {
      cloudwatch_metrics_enabled = true
      metric_name                = "${var.name}-snapshot"
      sampled_requests_enabled   = false
    }
  }

  rule {
    name     = "rate"
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
        limit                 = var.requests_per_5_min
        evaluation_window_sec = 300
        aggregate_key_type    = "IP"

        scope_down_statement {
          byte_match_statement {
            search_string         = "${var.prefix}/v1/"
            positional_constraint = "STARTS_WITH"

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
      metric_name                = "${var.name}-rate"
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
          for_each = rule.value.label == null ? [true] : []

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

        dynamic "label_match_statement" {
          for_each = rule.value.label == null ? [] : [rule.value.label]

          content {
            scope = "LABEL"
            key   = label_match_statement.value
          }
        }
      }

      visibility_config {
        cloudwatch_metrics_enabled = true
        metric_name                = "${var.name}-bot-${rule.key}"
        sampled_requests_enabled   = rule.value.label != null
      }
    }
  }

  # It labels and blocks nobody; what becomes of a machine is a setting of each zone. Only joins are looked at, and paid.
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

          managed_rule_group_configs {
            aws_managed_rules_bot_control_rule_set {
              inspection_level = rule.value.inspection_level
            }
          }

          scope_down_statement {
            regex_match_statement {
              regex_string = "^${replace(var.prefix, ".", "\\.")}/v1/zones/[^/]+/(enter|visitors(/me)?)$"

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
      priority = 2

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
