# An alarm costs money each month, so no two of them tell the same. What an asynchronous function cannot do, for whatever
# reason, ends in the queue of failures, whose one alarm tells; one that the HTTP API cannot start is a 5xx of that API.
locals {
  alarms = var.alarms == null || var.spec.edge ? {} : {
    for name, alarm in {
      errors = {
        wanted      = !var.spec.asynchronous
        description = "${var.name} fails. Its log group ${local.log_group} says why."
        metric      = "Errors"
        statistic   = "Sum"
        comparison  = "GreaterThanThreshold"
        threshold   = var.alarms.errors_per_min
        missing     = "notBreaching"
      }
      throttles = {
        wanted      = !var.spec.asynchronous && !var.spec.triggers.http
        description = "${var.name} is not started as often as it should be: more arrive than expected_joins_per_sec says, or the account's concurrency is used up."
        metric      = "Throttles"
        statistic   = "Sum"
        comparison  = "GreaterThanThreshold"
        threshold   = var.alarms.throttles_per_min
        missing     = "notBreaching"
      }
      behind = {
        wanted      = var.spec.triggers.stream != null
        description = "${var.name} is more than a minute behind its stream."
        metric      = "IteratorAge"
        statistic   = "Maximum"
        comparison  = "GreaterThanThreshold"
        threshold   = 60000
        missing     = "notBreaching"
      }
      stopped = {
        wanted      = var.spec.triggers.schedule != null
        description = "${var.name} is no longer started by its schedule ${var.name}."
        metric      = "Invocations"
        statistic   = "Sum"
        comparison  = "LessThanThreshold"
        threshold   = 1
        missing     = "breaching"
      }
    } : name => alarm if alarm.wanted
  }
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = local.alarms

  alarm_name        = "${var.name}-${each.key}"
  alarm_description = each.value.description

  namespace   = "AWS/Lambda"
  metric_name = each.value.metric
  dimensions  = { FunctionName = aws_lambda_function.this.function_name }
  statistic   = each.value.statistic
  period      = 60

  comparison_operator = each.value.comparison
  threshold           = each.value.threshold
  evaluation_periods  = 5
  datapoints_to_alarm = each.key == "stopped" ? 5 : 3
  treat_missing_data  = each.value.missing

  alarm_actions = var.alarms.actions
  ok_actions    = var.alarms.actions
}
