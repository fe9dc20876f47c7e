data "aws_caller_identity" "current" {}

# Holds what CloudFront serves under the prefix; the key of an object is its path. All of it is made again by publisher
# and exchanger when it is missing, so the bucket goes with the deployment.
resource "aws_s3_bucket" "this" {
  #checkov:skip=CKV_AWS_18:CloudFront alone reads it, and has access logs as an option.
  #checkov:skip=CKV_AWS_21:Everything in it is made again when it is missing.
  #checkov:skip=CKV_AWS_144:Everything in it is made again when it is missing.
  #checkov:skip=CKV_AWS_145:Everything in it is public but for its name; S3 encrypts with its own key.
  #checkov:skip=CKV2_AWS_61:Nothing in it grows: every object is written over.
  #checkov:skip=CKV2_AWS_62:Nobody waits for changes in it.
  bucket        = "${var.name}-site-${data.aws_caller_identity.current.account_id}"
  force_destroy = true
}

resource "aws_s3_bucket_public_access_block" "this" {
  bucket = aws_s3_bucket.this.id

  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

data "aws_iam_policy_document" "this" {
  statement {
    sid       = "CloudFrontReads"
    actions   = ["s3:GetObject"]
    resources = ["${aws_s3_bucket.this.arn}/*"]

    principals {
      type        = "Service"
      identifiers = ["cloudfront.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceArn"
      values   = [var.distribution_arn]
    }
  }

  # Without it S3 answers 403 where nothing lies. Nobody can list: paths become keys, and queries are not passed on.
  statement {
    sid       = "CloudFrontLearnsThatNothingIsThere"
    actions   = ["s3:ListBucket"]
    resources = [aws_s3_bucket.this.arn]

    principals {
      type        = "Service"
      identifiers = ["cloudfront.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceArn"
      values   = [var.distribution_arn]
    }
  }

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
  policy = data.aws_iam_policy_document.this.json

  depends_on = [aws_s3_bucket_public_access_block.this]
}
