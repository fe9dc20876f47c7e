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
  name             = "foyer"
  distribution_arn = "arn:aws:cloudfront::123456789012:distribution/E1"
  snapshot         = { key = ".waiting-room/gate-1.json", cache_control = "public, max-age=1", issuer = "foyer" }
}

run "a_bucket_for_one_distribution" {
  command = plan

  assert {
    condition     = aws_s3_bucket.this.bucket == "foyer-site-123456789012" && aws_s3_bucket_public_access_block.this.block_public_policy && aws_s3_bucket_public_access_block.this.restrict_public_buckets
    error_message = "The bucket is called after the account and not public."
  }

  assert {
    condition     = alltrue([for statement in data.aws_iam_policy_document.this.statement : statement.effect == "Deny" || one(statement.condition).values == tolist([var.distribution_arn])])
    error_message = "Only the distribution may read it."
  }

  assert {
    condition     = nonsensitive(aws_s3_object.first_snapshot.key) == ".waiting-room/gate-1.json" && nonsensitive(aws_s3_object.first_snapshot.cache_control) == "public, max-age=1"
    error_message = "The first snapshot lies where the gatekeeper looks for it."
  }
}
