resource "aws_kinesis_firehose_delivery_stream" "this" {
  #checkov:skip=CKV_AWS_240:Firehose encrypts what it holds with its own key.
  #checkov:skip=CKV_AWS_241:Firehose encrypts what it holds with its own key.
  name        = "${var.name}-archive"
  destination = "extended_s3"

  server_side_encryption {
    enabled  = true
    key_type = "AWS_OWNED_CMK"
  }

  extended_s3_configuration {
    role_arn            = aws_iam_role.delivery.arn
    bucket_arn          = aws_s3_bucket.this.arn
    prefix              = "${local.changes_prefix}${local.partition_prefix}"
    error_output_prefix = "${local.errors_prefix}!{firehose:error-output-type}/day=!{timestamp:yyyy-MM-dd}/"
    compression_format  = "GZIP"
    buffering_size      = 64
    buffering_interval  = 300

    dynamic_partitioning_configuration {
      enabled = true
    }

    processing_configuration {
      enabled = true

      processors {
        type = "MetadataExtraction"

        parameters {
          parameter_name  = "MetadataExtractionQuery"
          parameter_value = "{${join(",", [for name in var.schema.partitions : "${name}:.${name}"])}}"
        }

        parameters {
          parameter_name  = "JsonParsingEngine"
          parameter_value = "JQ-1.6"
        }
      }
    }

    cloudwatch_logging_options {
      enabled         = true
      log_group_name  = aws_cloudwatch_log_group.delivery.name
      log_stream_name = aws_cloudwatch_log_stream.delivery.name
    }
  }

  # Firehose tries the role when it makes the stream.
  depends_on = [aws_iam_role_policy.delivery]
}

resource "aws_cloudwatch_log_group" "delivery" {
  #checkov:skip=CKV_AWS_158:Only errors of the delivery go here.
  #checkov:skip=CKV_AWS_338:How long logs are kept is an option.
  name              = "/aws/kinesisfirehose/${var.name}-archive"
  retention_in_days = var.log_retention_days
}

resource "aws_cloudwatch_log_stream" "delivery" {
  name           = "delivery"
  log_group_name = aws_cloudwatch_log_group.delivery.name
}

data "aws_iam_policy_document" "assume_delivery" {
  statement {
    sid     = "RunAsDelivery"
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["firehose.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.current.account_id]
    }
  }
}

resource "aws_iam_role" "delivery" {
  name               = "${var.name}-archive"
  description        = "Lets Firehose write the archive."
  assume_role_policy = data.aws_iam_policy_document.assume_delivery.json
}

data "aws_iam_policy_document" "delivery" {
  statement {
    sid       = "Bucket"
    actions   = ["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"]
    resources = [aws_s3_bucket.this.arn]
  }

  statement {
    sid     = "Files"
    actions = ["s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject"]
    resources = [
      "${aws_s3_bucket.this.arn}/${local.changes_prefix}*",
      "${aws_s3_bucket.this.arn}/${local.errors_prefix}*",
    ]
  }

  statement {
    sid       = "OwnLog"
    actions   = ["logs:PutLogEvents"]
    resources = ["arn:${data.aws_partition.current.partition}:logs:${data.aws_region.current.region}:${data.aws_caller_identity.current.account_id}:log-group:/aws/kinesisfirehose/${var.name}-archive:*"]
  }
}

resource "aws_iam_role_policy" "delivery" {
  name   = "own"
  role   = aws_iam_role.delivery.name
  policy = data.aws_iam_policy_document.delivery.json
}
