data "aws_iam_policy_document" "assume" {
  statement {
    sid     = "RunAsFunction"
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = var.spec.edge ? ["edgelambda.amazonaws.com", "lambda.amazonaws.com"] : ["lambda.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "this" {
  name               = var.name
  description        = "What the function ${var.name} may do."
  assume_role_policy = data.aws_iam_policy_document.assume.json
}

data "aws_iam_policy_document" "this" {
  dynamic "statement" {
    for_each = var.permissions

    content {
      sid       = statement.value.name
      actions   = statement.value.actions
      resources = statement.value.resources
    }
  }

  dynamic "statement" {
    for_each = var.spec.edge ? [] : [local.log_group]

    content {
      sid       = "OwnLog"
      actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
      resources = ["arn:${local.partition}:logs:${local.region}:${local.account_id}:log-group:${local.log_group}:*"]
    }
  }

  # A replica writes in the Region that it runs in, into a group that Lambda makes there.
  dynamic "statement" {
    for_each = var.spec.edge ? ["/aws/lambda/us-east-1.${var.name}"] : []

    content {
      sid       = "OwnLogInEveryRegion"
      actions   = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"]
      resources = ["arn:${local.partition}:logs:*:${local.account_id}:log-group:${statement.value}:*"]
    }
  }

  dynamic "statement" {
    for_each = local.delivers_failures ? [var.failures_queue_arn] : []

    content {
      sid       = "OwnFailures"
      actions   = ["sqs:SendMessage"]
      resources = [statement.value]
    }
  }

  # AWS knows no resource for traces.
  dynamic "statement" {
    for_each = var.tracing && !var.spec.edge ? ["*"] : []

    content {
      sid       = "OwnTraces"
      actions   = ["xray:PutTelemetryRecords", "xray:PutTraceSegments"]
      resources = [statement.value]
    }
  }

  dynamic "statement" {
    for_each = var.table_key_arn != null && !var.spec.edge ? [var.table_key_arn] : []

    content {
      sid       = "KeyOfTables"
      actions   = ["kms:Decrypt", "kms:DescribeKey"]
      resources = [statement.value]

      condition {
        test     = "StringEquals"
        variable = "kms:ViaService"
        values   = ["dynamodb.${local.region}.amazonaws.com"]
      }
    }
  }
}

resource "aws_iam_role_policy" "this" {
  name   = "own"
  role   = aws_iam_role.this.name
  policy = data.aws_iam_policy_document.this.json
}
