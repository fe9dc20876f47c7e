data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {}

locals {
  account_id = data.aws_caller_identity.current.account_id
  partition  = data.aws_partition.current.partition

  # Lambda@Edge lives in us-east-1 and is copied from there.
  region = var.spec.edge ? "us-east-1" : data.aws_region.current.region

  arn       = "arn:${local.partition}:lambda:${local.region}:${local.account_id}:function:${var.name}"
  log_group = "/aws/lambda/${var.name}"

  delivers_failures = var.spec.asynchronous && var.failures_queue_arn != null
}

resource "aws_lambda_function" "this" {
  #checkov:skip=CKV_AWS_117:Nothing the functions use is in a VPC, and one would cost a NAT gateway while nothing is on sale.
  #checkov:skip=CKV_AWS_116:Failed asynchronous events go to the on-failure destination, which also says why they failed.
  #checkov:skip=CKV_AWS_115:Set where sizing or the schema says so; the edge shares its Region's pool on purpose.
  #checkov:skip=CKV_AWS_50:An option; traces of a crowd are expensive.
  #checkov:skip=CKV_AWS_173:The settings are names. The one secret, the origin header, is as readable in the distribution.
  #checkov:skip=CKV_AWS_272:Zips are checked by the checksums of the release; a signing profile belongs to an account.
  region = var.spec.edge ? "us-east-1" : null

  function_name = var.name
  description   = var.spec.description
  role          = aws_iam_role.this.arn

  filename         = var.artifact
  source_code_hash = fileexists(var.artifact) ? filebase64sha256(var.artifact) : null
  handler          = var.spec.handler
  runtime          = var.spec.runtime
  architectures    = [var.spec.architecture]
  layers           = var.layers

  memory_size                    = var.spec.memory_mb
  timeout                        = var.spec.timeout_sec
  reserved_concurrent_executions = var.spec.reserved_concurrency

  # A numbered version of every release stays: the edge needs one, and elsewhere it tells what ran before.
  publish      = true
  skip_destroy = var.spec.edge && var.skip_destroy

  dynamic "environment" {
    for_each = length(var.environment) > 0 ? [var.environment] : []

    content {
      variables = environment.value
    }
  }

  dynamic "tracing_config" {
    for_each = var.tracing && !var.spec.edge ? ["Active"] : []

    content {
      mode = tracing_config.value
    }
  }

  # CloudFront removes replicas within hours after the last distribution let go of them, and only then can AWS delete.
  timeouts {
    delete = var.spec.edge ? "3h" : "10m"
  }

  # The distribution takes the new gatekeeper before AWS is asked to delete the old one, whose name is another.
  lifecycle {
    create_before_destroy = true

    precondition {
      condition     = fileexists(var.artifact)
      error_message = "There is no ${var.artifact}. Run `make build`, or download the zips of a release and set artifacts_dir to their directory."
    }

    precondition {
      condition     = !var.spec.asynchronous || var.failures_queue_arn != null
      error_message = "${var.name} is asynchronous: set failures_queue_arn, or its failures are lost."
    }
  }

  # Otherwise Lambda makes the group itself at the first invocation, and keeps its lines for ever.
  depends_on = [aws_cloudwatch_log_group.this, aws_iam_role_policy.this]
}

resource "aws_cloudwatch_log_group" "this" {
  #checkov:skip=CKV_AWS_158:Logs hold no token, number or address; CloudWatch encrypts them with its own key.
  #checkov:skip=CKV_AWS_338:How long logs are kept is an option.
  count = var.spec.edge ? 0 : 1

  name              = local.log_group
  retention_in_days = var.log_retention_days
}

resource "aws_lambda_function_event_invoke_config" "this" {
  count = var.spec.asynchronous ? 1 : 0

  function_name                = aws_lambda_function.this.function_name
  maximum_retry_attempts       = var.spec.retries
  maximum_event_age_in_seconds = var.spec.maximum_event_age_sec

  destination_config {
    on_failure {
      destination = var.failures_queue_arn
    }
  }
}
