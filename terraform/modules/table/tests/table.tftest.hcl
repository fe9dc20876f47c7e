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
  name   = "foyer-queue"
  schema = { partition_key = { name = "place", type = "S" }, ttl_attribute = "expires_at_sec", stream = "NEW_AND_OLD_IMAGES", point_in_time_recovery = true }
}

run "as_its_schema_says" {
  command = plan

  assert {
    condition     = aws_dynamodb_table.this.billing_mode == "PAY_PER_REQUEST" && aws_dynamodb_table.this.stream_view_type == "NEW_AND_OLD_IMAGES" && one(aws_dynamodb_table.this.ttl).attribute_name == "expires_at_sec" && one(aws_dynamodb_table.this.point_in_time_recovery).enabled
    error_message = "On demand, with stream, TTL and point-in-time recovery."
  }

  assert {
    condition     = aws_dynamodb_table.this.deletion_protection_enabled && length(aws_dynamodb_table.this.server_side_encryption) == 0 && length(aws_cloudwatch_metric_alarm.throttled) == 0
    error_message = "Protected, with the key of AWS, and without an alarm unless asked."
  }
}

run "with_every_option" {
  command = plan

  variables {
    schema              = { partition_key = { name = "counter", type = "S" }, sort_key = { name = "slot", type = "N" }, ttl_attribute = "expires_at_sec", stream = null, point_in_time_recovery = false }
    warm_throughput     = { read_units_per_sec = 20000, write_units_per_sec = 8000 }
    deletion_protection = false
    kms_key_arn         = "arn:aws:kms:eu-west-1:123456789012:key/1"
    alarms              = { actions = [], throttles_per_min = 6 }
  }

  assert {
    condition     = aws_dynamodb_table.this.range_key == "slot" && { for attribute in aws_dynamodb_table.this.attribute : attribute.name => attribute.type } == { counter = "S", slot = "N" }
    error_message = "Both keys have their types."
  }

  assert {
    condition     = one(aws_dynamodb_table.this.warm_throughput).write_units_per_second == 8000 && one(aws_dynamodb_table.this.server_side_encryption).enabled && !aws_dynamodb_table.this.stream_enabled
    error_message = "Warm, with the customer's key, without a stream."
  }

  assert {
    condition     = one(aws_cloudwatch_metric_alarm.throttled).threshold == 6
    error_message = "The alarm has the threshold given."
  }
}

run "wrong_values" {
  command = plan

  variables {
    name            = "a table"
    warm_throughput = { read_units_per_sec = 12000, write_units_per_sec = 100 }
  }

  expect_failures = [var.name, var.warm_throughput]
}

run "made_warm" {
  variables {
    warm_throughput = { read_units_per_sec = 20000, write_units_per_sec = 8000 }
  }

  assert {
    condition     = output.warm_throughput == { read_units_per_sec = 20000, write_units_per_sec = 8000 }
    error_message = "The table says what it is warm for."
  }
}

run "asked_for_less_it_stays_as_warm_as_it_is" {
  command = plan

  variables {
    warm_throughput = { read_units_per_sec = 12000, write_units_per_sec = 6000 }
  }

  assert {
    condition     = one(aws_dynamodb_table.this.warm_throughput).write_units_per_second == 8000
    error_message = "To lower it is to make the table anew."
  }
}
