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
  name           = "foyer"
  stage          = "0123456789abcdef0123456789abcdef"
  openapi        = jsondecode(file("../../../schemas/openapi.json"))
  function_names = { bouncer = "foyer-bouncer", operator = "foyer-operator" }
  throttle       = { requests_per_sec = 100, burst = 50 }
}

run "routes_of_the_document" {
  command = plan

  assert {
    condition     = keys(jsondecode(aws_apigatewayv2_api.this.body).paths) == keys(var.openapi.paths)
    error_message = "Every path of the document is a route."
  }

  assert {
    condition = alltrue(flatten([
      for path, item in jsondecode(aws_apigatewayv2_api.this.body).paths : [
        for operation in item : can(operation.security) == strcontains(path, "/v1/admin/")
      ]
    ]))
    error_message = "Operators' routes need AWS credentials, and visitors' do not."
  }

  assert {
    condition     = toset(keys(aws_lambda_permission.this)) == toset(["bouncer", "operator"]) && length(aws_cloudwatch_metric_alarm.this) == 0
    error_message = "The API may start the functions of its routes."
  }

  assert {
    condition     = one(aws_apigatewayv2_stage.this.default_route_settings).throttling_rate_limit == 100 && !strcontains(one(aws_apigatewayv2_stage.this.access_log_settings).format, "sourceIp")
    error_message = "Throttled as asked; the access log says nothing about who asked."
  }

  assert {
    condition     = aws_apigatewayv2_stage.this.name == "0123456789abcdef0123456789abcdef" && !strcontains(one(aws_apigatewayv2_stage.this.access_log_settings).format, "context.stage")
    error_message = "There is one stage, which nobody can guess; operators are told it, and no log."
  }
}

run "with_alarms" {
  command = plan

  variables {
    alarms = { actions = [], errors_per_min = 18 }
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["failing"].threshold == 18 && aws_cloudwatch_metric_alarm.this["slow"].extended_statistic == "p99"
    error_message = "Alarms on errors and on slow answers."
  }
}

run "a_document_without_functions" {
  command = plan

  variables {
    openapi = { paths = { "/a" = { get = { operationId = "a" } } } }
  }

  expect_failures = [var.openapi]
}

run "no_other_origin_unless_it_is_listed" {
  command = plan

  assert {
    condition     = length(aws_apigatewayv2_api.this.cors_configuration) == 0
    error_message = "CORS is off by default."
  }
}

run "listed_origins" {
  command = plan

  variables {
    cors_origins = ["https://shop.example.org"]
  }

  assert {
    condition     = one(aws_apigatewayv2_api.this.cors_configuration).allow_origins == toset(["https://shop.example.org"]) && one(aws_apigatewayv2_api.this.cors_configuration).allow_credentials
    error_message = "Origins are named, as credentials need them to be, where the provider does not throw them away."
  }

  assert {
    condition     = !can(jsondecode(aws_apigatewayv2_api.this.body)["x-amazon-apigateway-cors"])
    error_message = "The provider deletes what the body says of CORS."
  }

  assert {
    condition     = one(aws_apigatewayv2_api.this.cors_configuration).max_age == 600 && contains(one(aws_apigatewayv2_api.this.cors_configuration).allow_headers, "x-waiting-room-join-claim") && one(aws_apigatewayv2_api.this.cors_configuration).allow_methods == toset(["DELETE", "GET", "POST"]) && one(aws_apigatewayv2_api.this.cors_configuration).expose_headers == toset(["date", "retry-after"])
    error_message = "The rest is what the document says."
  }
}

run "a_stage_that_can_be_guessed" {
  command = plan

  variables {
    stage = "$default"
  }

  expect_failures = [var.stage]
}
