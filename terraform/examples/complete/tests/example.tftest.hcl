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
  artifacts_dir             = "../../tests/artifacts"
  origin_domain_name        = "origin.example.com"
  domain_name               = "example.com"
  hosted_zone_id            = "Z1"
  origination_identity_arn  = "arn:aws:sms-voice:eu-west-1:123456789012:phone-number/phone-1"
  notify_code_configuration = "ncc-1"
  email                     = "a@example.com"
}

run "can_be_planned" {
  command = plan

  assert {
    condition     = output.sizing.shards == 20 && output.site_url == "https://example.com"
    error_message = "The example makes what its README says."
  }
}
