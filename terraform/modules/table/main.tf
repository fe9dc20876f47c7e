locals {
  keys = [for key in [var.schema.partition_key, var.schema.sort_key] : key if key != null]
}

resource "aws_dynamodb_table" "this" {
  #checkov:skip=CKV_AWS_119:A customer-managed key is an option; DynamoDB encrypts in any case.
  #checkov:skip=CKV_AWS_28:The schema says which tables can be restored; open connections are worth nothing a day later.
  name         = var.name
  billing_mode = "PAY_PER_REQUEST"

  hash_key  = var.schema.partition_key.name
  range_key = try(var.schema.sort_key.name, null)

  stream_enabled   = var.schema.stream != null
  stream_view_type = var.schema.stream

  deletion_protection_enabled = var.deletion_protection

  dynamic "attribute" {
    for_each = local.keys

    content {
      name = attribute.value.name
      type = attribute.value.type
    }
  }

  ttl {
    attribute_name = var.schema.ttl_attribute
    enabled        = true
  }

  point_in_time_recovery {
    enabled = var.schema.point_in_time_recovery
  }

  dynamic "server_side_encryption" {
    for_each = var.kms_key_arn == null ? [] : [var.kms_key_arn]

    content {
      enabled     = true
      kms_key_arn = server_side_encryption.value
    }
  }

  # Given when the table is made; afterwards it is read and never set. AWS raises it by itself with the traffic, and to set
  # less than it has become is, for the provider, to make the table anew, or stops every plan
  # (internal/service/dynamodb/table.go; pull request 49032).
  dynamic "warm_throughput" {
    for_each = var.warm_throughput == null ? [] : [var.warm_throughput]

    content {
      read_units_per_second  = warm_throughput.value.read_units_per_sec
      write_units_per_second = warm_throughput.value.write_units_per_sec
    }
  }

  lifecycle {
    ignore_changes = [warm_throughput]
  }
}

resource "aws_cloudwatch_metric_alarm" "throttled" {
  count = var.alarms == null ? 0 : 1

  alarm_name        = "${var.name}-throttled"
  alarm_description = "Writes to the table ${var.name} are refused: more arrive than expected_joins_per_sec says, or one key is too hot (more than 1,000 writes a second)."

  namespace   = "AWS/DynamoDB"
  metric_name = "WriteThrottleEvents"
  dimensions  = { TableName = aws_dynamodb_table.this.name }
  statistic   = "Sum"
  period      = 60

  comparison_operator = "GreaterThanThreshold"
  threshold           = var.alarms.throttles_per_min
  evaluation_periods  = 3
  datapoints_to_alarm = 2
  treat_missing_data  = "notBreaching"

  alarm_actions = var.alarms.actions
  ok_actions    = var.alarms.actions
}
