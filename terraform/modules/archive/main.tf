data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {}

locals {
  changes_prefix = var.schema.prefix
  errors_prefix  = var.schema.errors_prefix
  results_prefix = "athena-results/"

  # Partitions of a zone and a day each, written by Firehose and worked out by Athena: nobody has to register them. Both
  # are read from the row, so that a row that is delivered twice lies in one place.
  partition_prefix = join("", [for name in var.schema.partitions : "${name}=!{partitionKeyFromQuery:${name}}/"])
}

resource "aws_s3_bucket" "this" {
  #checkov:skip=CKV_AWS_18:Firehose writes and operators read; CloudTrail data events say who, where that is asked for.
  #checkov:skip=CKV_AWS_144:A copy in another Region is for the few who need it to make.
  #checkov:skip=CKV_AWS_145:It holds ids and times; S3 encrypts with its own key.
  #checkov:skip=CKV_AWS_21:Files are written once and never changed.
  #checkov:skip=CKV2_AWS_62:Nobody waits for changes in it.
  bucket        = "${var.name}-archive-${data.aws_caller_identity.current.account_id}"
  force_destroy = var.force_destroy
}

resource "aws_s3_bucket_public_access_block" "this" {
  bucket = aws_s3_bucket.this.id

  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

data "aws_iam_policy_document" "bucket" {
  statement {
    sid       = "OnlyEncryptedTransport"
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = [aws_s3_bucket.this.arn, "${aws_s3_bucket.this.arn}/*"]

    principals {
      type        = "*"
      identifiers = ["*"]
    }

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }
}

resource "aws_s3_bucket_policy" "this" {
  bucket = aws_s3_bucket.this.id
  policy = data.aws_iam_policy_document.bucket.json

  depends_on = [aws_s3_bucket_public_access_block.this]
}

resource "aws_s3_bucket_lifecycle_configuration" "this" {
  bucket = aws_s3_bucket.this.id

  rule {
    id     = "changes"
    status = "Enabled"

    filter {
      prefix = local.changes_prefix
    }

    transition {
      days          = var.tiers.infrequent_access_after_days
      storage_class = "STANDARD_IA"
    }

    transition {
      days          = var.tiers.glacier_after_days
      storage_class = "GLACIER"
    }

    expiration {
      days = var.tiers.expire_after_days
    }
  }

  rule {
    id     = "delivery-errors"
    status = "Enabled"

    filter {
      prefix = local.errors_prefix
    }

    expiration {
      days = var.tiers.expire_after_days
    }
  }

  rule {
    id     = "athena-results"
    status = "Enabled"

    filter {
      prefix = local.results_prefix
    }

    expiration {
      days = 7
    }
  }

  rule {
    id     = "unfinished-uploads"
    status = "Enabled"

    filter {}

    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }
}
