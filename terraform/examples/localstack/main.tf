# The same against LocalStack, which needs a licence for CloudFront and API Gateway v2:
#
#     export AWS_ENDPOINT_URL=http://localhost:4566
#     terraform apply
#
# Lambda@Edge and caches are played roughly there, if at all. `make demo` needs neither LocalStack nor Terraform.
provider "aws" {
  region     = "us-east-1"
  access_key = "test"
  secret_key = "test"

  s3_use_path_style           = true
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
}

module "waiting_room" {
  source = "../.."

  artifacts_dir      = var.artifacts_dir
  name               = "foyer-local"
  origin_domain_name = var.origin_domain_name
  check_quotas       = false

  # Everything goes at once and without waiting.
  tables     = { deletion_protection = false }
  functions  = { reserve_concurrency = false, log_retention_days = 1 }
  gate       = { skip_destroy = true }
  monitoring = { alarms = false, dashboard = false }
}
