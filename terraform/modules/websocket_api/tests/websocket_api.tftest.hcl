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
  name          = "foyer-websocket"
  schema        = jsondecode(file("../../../schemas/websocket.json"))
  stage         = "0123456789abcdef0123456789abcdef"
  function_name = "foyer-connections"
  throttle      = { requests_per_sec = 100, burst = 50 }
}

run "routes_of_the_document" {
  command = plan

  assert {
    condition     = toset(keys(aws_apigatewayv2_route.this)) == toset(["$connect", "$default", "$disconnect"]) && aws_apigatewayv2_stage.this.name == "0123456789abcdef0123456789abcdef"
    error_message = "Three routes of the document, at the one stage."
  }

  assert {
    condition     = endswith(aws_apigatewayv2_integration.this.integration_uri, ":function:foyer-connections/invocations")
    error_message = "All routes lead to the function."
  }
}
