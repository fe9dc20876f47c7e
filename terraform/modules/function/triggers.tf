resource "aws_lambda_event_source_mapping" "this" {
  count = var.spec.triggers.stream == null ? 0 : 1

  function_name                      = aws_lambda_function.this.function_name
  event_source_arn                   = var.stream.arn
  starting_position                  = var.spec.triggers.stream.starting_position
  batch_size                         = var.spec.triggers.stream.batch_size
  maximum_batching_window_in_seconds = var.spec.triggers.stream.batching_window_sec
  maximum_record_age_in_seconds      = var.spec.triggers.stream.maximum_record_age_sec
  bisect_batch_on_function_error     = var.spec.triggers.stream.bisect
  parallelization_factor             = var.spec.triggers.stream.parallelization
  function_response_types            = var.spec.triggers.stream.partial_failures ? ["ReportBatchItemFailures"] : null

  dynamic "filter_criteria" {
    for_each = var.stream.filter == null ? [] : [var.stream.filter]

    content {
      filter {
        pattern = filter_criteria.value
      }
    }
  }

  dynamic "destination_config" {
    for_each = local.delivers_failures ? [var.failures_queue_arn] : []

    content {
      on_failure {
        destination_arn = destination_config.value
      }
    }
  }

  # Lambda tries the rights when it makes the mapping.
  depends_on = [aws_iam_role_policy.this]
}

resource "aws_scheduler_schedule" "this" {
  #checkov:skip=CKV_AWS_297:A schedule holds no data; EventBridge encrypts it with its own key.
  count = var.spec.triggers.schedule == null ? 0 : 1

  name                = var.name
  description         = var.spec.description
  schedule_expression = var.spec.triggers.schedule

  flexible_time_window {
    mode = "OFF"
  }

  target {
    arn      = aws_lambda_function.this.arn
    role_arn = one(aws_iam_role.schedule[*].arn)

    # The next one comes soon enough.
    retry_policy {
      maximum_retry_attempts       = 0
      maximum_event_age_in_seconds = 60
    }
  }
}

data "aws_iam_policy_document" "assume_schedule" {
  count = var.spec.triggers.schedule == null ? 0 : 1

  statement {
    sid     = "RunAsSchedule"
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["scheduler.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account_id]
    }
  }
}

data "aws_iam_policy_document" "schedule" {
  count = var.spec.triggers.schedule == null ? 0 : 1

  statement {
    sid       = "Start"
    actions   = ["lambda:InvokeFunction"]
    resources = [local.arn]
  }
}

resource "aws_iam_role" "schedule" {
  count = var.spec.triggers.schedule == null ? 0 : 1

  name               = "${var.name}-schedule"
  description        = "Lets the schedule start the function ${var.name}."
  assume_role_policy = data.aws_iam_policy_document.assume_schedule[0].json
}

resource "aws_iam_role_policy" "schedule" {
  count = var.spec.triggers.schedule == null ? 0 : 1

  name   = "start"
  role   = aws_iam_role.schedule[0].name
  policy = data.aws_iam_policy_document.schedule[0].json
}
