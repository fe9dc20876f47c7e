data "aws_region" "current" {}

locals {
  # An alarm tells topics of its own Region only, and CloudFront's metrics are in us-east-1.
  regions       = var.alarms ? toset(distinct([data.aws_region.current.region, "us-east-1"])) : toset([])
  home          = data.aws_region.current.region
  subscriptions = { for pair in setproduct(local.regions, var.emails) : join(" ", pair) => { region = pair[0], email = pair[1] } }
}

resource "aws_sns_topic" "this" {
  #checkov:skip=CKV_AWS_26:CloudWatch cannot use the key of AWS for topics; the messages say that an alarm went off.
  for_each = local.regions
  region   = each.key

  name = "${var.name}-alarms"
}

resource "aws_sns_topic_subscription" "this" {
  for_each = local.subscriptions
  region   = each.value.region

  topic_arn = aws_sns_topic.this[each.value.region].arn
  protocol  = "email"
  endpoint  = each.value.email
}

resource "aws_cloudwatch_metric_alarm" "failures" {
  count = var.alarms ? 1 : 0

  alarm_name        = "${var.name}-failures"
  alarm_description = "A function could not deal with an event: look at the messages in the queue ${var.failures_queue_name}, and delete them when it is understood."

  namespace   = "AWS/SQS"
  metric_name = "ApproximateNumberOfMessagesVisible"
  dimensions  = { QueueName = var.failures_queue_name }
  statistic   = "Maximum"
  period      = 300

  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"

  alarm_actions = [aws_sns_topic.this[local.home].arn]
  ok_actions    = [aws_sns_topic.this[local.home].arn]
}

# Looks every ten seconds: such an alarm costs 0.30 USD a month where one that looks each minute costs 0.10, and is not
# among those AWS gives free. While the door is shut it is told once a minute, so an alarm that looked at fewer than
# sixty seconds would go on and off; ninety leave room for a late tick.
resource "aws_cloudwatch_metric_alarm" "door" {
  count = var.alarms ? 1 : 0

  alarm_name        = "${var.name}-door-shut"
  alarm_description = "Claims do not get through in a zone of ${var.name}: nobody is called and nobody loses a place, but nobody comes in. Look at the API's 5xx, at throttles of the bouncer and the tables, at the signing keys; `wr watch ZONE` says which zone."

  namespace   = var.name
  metric_name = "door_shut"
  dimensions  = { lane = "all" }
  statistic   = "Maximum"
  period      = 10

  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  evaluation_periods  = 9
  datapoints_to_alarm = 1
  treat_missing_data  = "notBreaching"

  alarm_actions = [aws_sns_topic.this[local.home].arn]
  ok_actions    = [aws_sns_topic.this[local.home].arn]
}

# Only a line of the log knows of a lease that is counted for nobody. Costs nothing until there is one.
resource "aws_cloudwatch_log_metric_filter" "phantoms" {
  for_each = var.log_group_names

  name           = "${var.name}-${each.key}-phantoms"
  log_group_name = each.value
  pattern        = "{ $.message = \"phantom lease\" }"

  metric_transformation {
    namespace  = var.name
    name       = "phantoms"
    value      = "$.phantoms"
    dimensions = { zone_id = "$.zone_id" }
  }
}

# Whoever has to confirm a phone waits in vain until somebody looks after it.
resource "aws_cloudwatch_log_metric_filter" "codes" {
  count = var.watches_codes ? 1 : 0

  name           = "${var.name}-no-codes"
  log_group_name = var.log_group_names["bouncer"]
  pattern        = "{ $.message = \"no codes are sent\" }"

  metric_transformation {
    namespace = var.name
    name      = "codes_refused"
    value     = "1"
  }
}

resource "aws_cloudwatch_metric_alarm" "codes" {
  count = var.alarms && var.watches_codes ? 1 : 0

  alarm_name        = "${var.name}-no-codes"
  alarm_description = "Visitors of ${var.name} get no codes to their phones: a run has used up those its zone allows (identity.phone.most), or AWS End User Messaging refuses them (a right, a configuration, a quota, the spending limit). The bouncer's log says which zone and why. Without a confirmed phone nobody is let in there."

  namespace   = var.name
  metric_name = "codes_refused"
  statistic   = "Sum"
  period      = 60

  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"

  alarm_actions = [aws_sns_topic.this[local.home].arn]
  ok_actions    = [aws_sns_topic.this[local.home].arn]
}

resource "aws_cloudwatch_metric_alarm" "distribution" {
  count  = var.alarms && var.watches_distribution ? 1 : 0
  region = "us-east-1"

  alarm_name        = "${var.name}-site-failing"
  alarm_description = "More than 5 % of the answers of the distribution ${var.name} are 5xx: the site, the API, or a gate without a snapshot."

  namespace   = "AWS/CloudFront"
  metric_name = "5xxErrorRate"
  dimensions  = { DistributionId = var.distribution_id, Region = "Global" }
  statistic   = "Average"
  period      = 60

  comparison_operator = "GreaterThanThreshold"
  threshold           = 5
  evaluation_periods  = 5
  datapoints_to_alarm = 3
  treat_missing_data  = "notBreaching"

  alarm_actions = [aws_sns_topic.this["us-east-1"].arn]
  ok_actions    = [aws_sns_topic.this["us-east-1"].arn]
}

resource "aws_budgets_budget" "this" {
  count = var.budget == null ? 0 : 1

  name         = var.name
  budget_type  = "COST"
  limit_amount = format("%.1f", var.budget.monthly_usd)
  limit_unit   = "USD"
  time_unit    = "MONTHLY"

  notification {
    comparison_operator        = "GREATER_THAN"
    notification_type          = "FORECASTED"
    threshold                  = 80
    threshold_type             = "PERCENTAGE"
    subscriber_email_addresses = var.budget.emails
  }

  notification {
    comparison_operator        = "GREATER_THAN"
    notification_type          = "ACTUAL"
    threshold                  = 100
    threshold_type             = "PERCENTAGE"
    subscriber_email_addresses = var.budget.emails
  }
}
