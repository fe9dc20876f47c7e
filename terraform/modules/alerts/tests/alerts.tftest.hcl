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

run "what_a_number_needs_beside_it" {
  command = plan

  variables {
    name = "foyer"
  }

  assert {
    condition     = aws_kms_key.this.enable_key_rotation && aws_kms_alias.this.name == "alias/foyer-alerts"
    error_message = "Telephone numbers have a key of their own, which is renewed."
  }

  assert {
    condition     = aws_pinpointsmsvoicev2_configuration_set.this.default_message_type == "TRANSACTIONAL"
    error_message = "An alert is no advertisement."
  }
}
