# Plans only, with a mocked provider and stand-ins for the zips.
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
  mock_data "aws_servicequotas_service_quota" {
    defaults = { value = 40000 }
  }
}

variables {
  artifacts_dir      = "../../tests/artifacts"
  origin_domain_name = "origin.example.com"
}

run "can_be_planned" {
  command = plan

  assert {
    condition     = module.waiting_room.distribution == null && length(aws_cloudfront_distribution.site.ordered_cache_behavior) == length(local.behaviours) + 1
    error_message = "The example makes what its README says."
  }

  assert {
    condition     = { for each in aws_cloudfront_distribution.site.custom_error_response : tostring(each.error_code) => each.error_caching_min_ttl } == local.attachment.error_caching_min_ttl
    error_message = "An error stays with whom it happened to."
  }
}
