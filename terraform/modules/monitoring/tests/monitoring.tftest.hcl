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
  failures_queue_name  = "foyer-failures"
  watches_firewall     = true
  watches_distribution = true
  distribution_id      = "E1"
  function_names       = { bouncer = "foyer-bouncer" }
  table_names          = { queue = "foyer-queue" }
  log_group_names      = { bouncer = "/aws/lambda/foyer-bouncer" }
  watches_codes        = true
  api_id               = "abc"
}

run "alarms_and_a_dashboard" {
  command = plan

  variables {
    emails = ["a@example.com"]
    budget = { monthly_usd = 10, emails = ["a@example.com"] }
  }

  assert {
    condition     = toset(keys(aws_sns_topic_subscription.this)) == toset(["eu-west-1 a@example.com", "us-east-1 a@example.com"]) && one(aws_cloudwatch_metric_alarm.distribution).region == "us-east-1"
    error_message = "Everybody is told of alarms of both Regions."
  }

  assert {
    condition     = length(jsondecode(one(aws_cloudwatch_dashboard.this).dashboard_body).widgets) == 11
    error_message = "The dashboard has a graph for the distribution."
  }

  assert {
    condition     = one(aws_cloudwatch_metric_alarm.door).period == 10 && one(aws_cloudwatch_metric_alarm.door).period * one(aws_cloudwatch_metric_alarm.door).evaluation_periods > 60 && one(aws_cloudwatch_metric_alarm.door).dimensions == tomap({ lane = "all" })
    error_message = "A shut door goes off within seconds, and not on and off while it is told once a minute."
  }

  assert {
    condition     = aws_cloudwatch_log_metric_filter.phantoms["bouncer"].metric_transformation[0].value == "$.phantoms"
    error_message = "Phantom leases are counted from the log."
  }

  assert {
    condition     = one(aws_cloudwatch_log_metric_filter.codes).log_group_name == "/aws/lambda/foyer-bouncer" && one(aws_cloudwatch_metric_alarm.codes).metric_name == one(aws_cloudwatch_log_metric_filter.codes).metric_transformation[0].name
    error_message = "Codes that are used up or refused are told."
  }

  assert {
    condition     = one(aws_budgets_budget.this).limit_amount == "10.0" && length(one(aws_budgets_budget.this).notification) == 2
    error_message = "The budget warns before and after."
  }
}

run "without_a_distribution" {
  command = plan

  variables {
    watches_firewall     = false
    watches_distribution = false
    distribution_id      = null
  }

  assert {
    condition     = length(aws_cloudwatch_metric_alarm.distribution) == 0 && length(jsondecode(one(aws_cloudwatch_dashboard.this).dashboard_body).widgets) == 9 && length(aws_budgets_budget.this) == 0
    error_message = "Nothing watches a distribution that is not there."
  }
}

run "nothing" {
  command = plan

  variables {
    alarms    = false
    dashboard = false
  }

  assert {
    condition     = length(aws_sns_topic.this) == 0 && length(aws_cloudwatch_metric_alarm.door) == 0 && length(aws_cloudwatch_dashboard.this) == 0 && output.topic_arn == null
    error_message = "What is switched off is not made."
  }
}
