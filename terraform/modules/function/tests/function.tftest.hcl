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
  name        = "foyer-baker"
  artifact    = "tests/function.tftest.hcl"
  environment = { QUEUE_TABLE = "foyer-queue" }
  permissions = [{ name = "TableQueue", actions = ["dynamodb:GetItem"], resources = ["arn:aws:dynamodb:eu-west-1:123456789012:table/foyer-queue"] }]
  spec = {
    description  = "Does something."
    handler      = "handler.handler"
    runtime      = "python3.13"
    architecture = "arm64"
    memory_mb    = 256
    timeout_sec  = 10
    edge         = false
    asynchronous = false
    triggers     = {}
  }
}

run "answers_somebody" {
  command = plan

  assert {
    condition     = aws_lambda_function.this.publish && aws_lambda_function.this.environment[0].variables == tomap({ QUEUE_TABLE = "foyer-queue" }) && length(aws_lambda_function.this.tracing_config) == 0
    error_message = "A version is published, with the environment given and without traces."
  }

  assert {
    condition     = length(aws_lambda_function_event_invoke_config.this) == 0 && length(aws_lambda_event_source_mapping.this) == 0 && length(aws_scheduler_schedule.this) == 0 && length(aws_cloudwatch_metric_alarm.this) == 0
    error_message = "Nothing is made that was not asked for."
  }

  assert {
    condition     = one(aws_cloudwatch_log_group.this[*].name) == "/aws/lambda/foyer-baker" && one(aws_cloudwatch_log_group.this[*].retention_in_days) == 30
    error_message = "Its log group is there before it and forgets."
  }

  assert {
    condition     = toset([for statement in data.aws_iam_policy_document.this.statement : statement.sid]) == toset(["TableQueue", "OwnLog"])
    error_message = "It may do what it is permitted, and write its log."
  }
}

run "is_asked_over_a_websocket" {
  command = plan

  variables {
    alarms = { actions = [], errors_per_min = 0, throttles_per_min = 0 }
  }

  assert {
    condition     = toset(keys(aws_cloudwatch_metric_alarm.this)) == toset(["errors", "throttles"])
    error_message = "Nothing else tells that it fails or is not started."
  }
}

run "is_asked_over_http" {
  command = plan

  variables {
    alarms = { actions = [], errors_per_min = 0, throttles_per_min = 0 }
    spec = {
      description  = "Does something."
      handler      = "handler.handler"
      runtime      = "python3.13"
      architecture = "arm64"
      memory_mb    = 256
      timeout_sec  = 10
      edge         = false
      asynchronous = false
      triggers     = { http = true }
    }
  }

  assert {
    condition     = toset(keys(aws_cloudwatch_metric_alarm.this)) == toset(["errors"])
    error_message = "The API's alarm tells when it is not started."
  }
}

run "is_started_by_a_stream" {
  command = plan

  variables {
    failures_queue_arn = "arn:aws:sqs:eu-west-1:123456789012:failures"
    tracing            = true
    table_key_arn      = "arn:aws:kms:eu-west-1:123456789012:key/1"
    alarms             = { actions = ["arn:aws:sns:eu-west-1:123456789012:alarms"], errors_per_min = 0, throttles_per_min = 0 }
    stream             = { arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/foyer-queue/stream/1", filter = "{}" }
    spec = {
      description           = "Does something."
      handler               = "handler.handler"
      runtime               = "python3.13"
      architecture          = "arm64"
      memory_mb             = 256
      timeout_sec           = 10
      reserved_concurrency  = 1
      edge                  = false
      asynchronous          = true
      retries               = 0
      maximum_event_age_sec = 60
      triggers              = { stream = { starting_position = "TRIM_HORIZON", batch_size = 100, maximum_record_age_sec = 300, bisect = true, parallelization = 2 } }
    }
  }

  assert {
    condition     = one(aws_lambda_event_source_mapping.this[*].bisect_batch_on_function_error) && aws_lambda_event_source_mapping.this[0].destination_config[0].on_failure[0].destination_arn == var.failures_queue_arn
    error_message = "Batches are halved, and what is given up goes to the queue of failures."
  }

  assert {
    condition     = one(aws_lambda_function_event_invoke_config.this[*].maximum_retry_attempts) == 0 && aws_lambda_function_event_invoke_config.this[0].destination_config[0].on_failure[0].destination == var.failures_queue_arn
    error_message = "Events are tried as often as the spec says, and what is given up goes to the queue of failures."
  }

  assert {
    condition     = toset([for statement in data.aws_iam_policy_document.this.statement : statement.sid]) == toset(["TableQueue", "OwnLog", "OwnFailures", "OwnTraces", "KeyOfTables"])
    error_message = "Traces, failures and the tables' key come with rights of their own."
  }

  assert {
    condition     = toset(keys(aws_cloudwatch_metric_alarm.this)) == toset(["behind"])
    error_message = "A consumer of a stream can be behind; its failures end in the queue, which has an alarm."
  }
}

run "is_started_by_a_schedule" {
  command = plan

  variables {
    failures_queue_arn = "arn:aws:sqs:eu-west-1:123456789012:failures"
    alarms             = { actions = [], errors_per_min = 0, throttles_per_min = 0 }
    spec = {
      description           = "Does something."
      handler               = "handler.handler"
      runtime               = "python3.13"
      architecture          = "arm64"
      memory_mb             = 256
      timeout_sec           = 10
      edge                  = false
      asynchronous          = true
      retries               = 0
      maximum_event_age_sec = 60
      triggers              = { schedule = "rate(1 minute)" }
    }
  }

  assert {
    condition     = one(aws_scheduler_schedule.this[*].schedule_expression) == "rate(1 minute)" && length(aws_iam_role.schedule) == 1
    error_message = "The schedule starts it in a role of its own."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["stopped"].treat_missing_data == "breaching"
    error_message = "A function that is no longer started reports nothing: that is the alarm."
  }
}

run "runs_at_the_edge" {
  command = plan

  variables {
    environment  = {}
    skip_destroy = true
    tracing      = true
    alarms       = { actions = [], errors_per_min = 0, throttles_per_min = 0 }
    spec = {
      description  = "Does something."
      handler      = "handler.handler"
      runtime      = "python3.13"
      architecture = "x86_64"
      memory_mb    = 128
      timeout_sec  = 5
      edge         = true
      asynchronous = false
      triggers     = {}
    }
  }

  assert {
    condition     = aws_lambda_function.this.region == "us-east-1" && aws_lambda_function.this.skip_destroy && aws_lambda_function.this.timeouts.delete == "3h"
    error_message = "The edge starts in us-east-1 and lets go slowly."
  }

  assert {
    condition     = length(aws_lambda_function.this.environment) == 0 && length(aws_lambda_function.this.tracing_config) == 0 && length(aws_cloudwatch_log_group.this) == 0 && length(aws_cloudwatch_metric_alarm.this) == 0
    error_message = "At the edge there are no environment, traces, log group or metrics of its own."
  }

  assert {
    condition     = toset(one(data.aws_iam_policy_document.assume.statement[0].principals[*].identifiers)) == toset(["edgelambda.amazonaws.com", "lambda.amazonaws.com"])
    error_message = "Lambda@Edge takes the role too."
  }
}

run "a_zip_that_is_not_there" {
  command = plan

  variables {
    artifact = "tests/nothing.zip"
  }

  expect_failures = [aws_lambda_function.this]
}

run "a_name_that_is_too_long" {
  command = plan

  variables {
    name = "a-function-with-a-name-that-has-more-letters-than-lambda-can-take-in"
  }

  expect_failures = [var.name]
}
