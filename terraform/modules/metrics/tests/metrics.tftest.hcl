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
  table = jsondecode(file("../../../schemas/metrics.json")).table
}

run "cloudwatch" {
  command = plan

  variables {
    name    = "foyer"
    backend = "cloudwatch"
  }

  assert {
    condition     = length(aws_timestreamwrite_table.this) == 0 && output.environment.METRICS_TABLE == "none"
    error_message = "CloudWatch needs nothing."
  }
}

run "timestream" {
  command = plan

  variables {
    name    = "foyer"
    backend = "timestream"
  }

  assert {
    condition     = output.environment.METRICS_DATABASE == "foyer" && output.environment.METRICS_TABLE == "visits" && one(one(aws_timestreamwrite_table.this).retention_properties).memory_store_retention_period_in_hours == 24
    error_message = "Timestream needs a database and a table."
  }
}

run "a_backend_that_is_not_there" {
  command = plan

  variables {
    name    = "foyer"
    backend = "influxdb"
  }

  expect_failures = [var.backend]
}
