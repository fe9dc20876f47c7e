data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {}

locals {
  components = toset(flatten([for item in var.openapi.paths : [for operation in item : operation["x-foyer-function"]]]))

  # Made of the names, so that the routes can be read in a plan before the functions exist.
  invocation_uris = {
    for component in local.components : component => join("", [
      "arn:${data.aws_partition.current.partition}:apigateway:${data.aws_region.current.region}:lambda:path/2015-03-31/functions/",
      "arn:${data.aws_partition.current.partition}:lambda:${data.aws_region.current.region}:${data.aws_caller_identity.current.account_id}",
      ":function:${var.function_names[component]}/invocations",
    ])
  }

  # API Gateway reads OpenAPI 3.0 and, for HTTP APIs, neither models nor most of the rest: it is given the routes.
  body = {
    openapi = "3.0.1"
    info    = { title = var.name, version = var.openapi.info.version }
    components = {
      securitySchemes = { aws_iam = var.openapi.components.securitySchemes.aws_iam }
    }
    paths = {
      for path, item in var.openapi.paths : path => {
        for method, operation in item : method => {
          for field, value in {
            operationId = operation.operationId
            parameters = [
              for name in flatten(regexall("\\{(\\w+)\\}", path)) :
              { name = name, in = "path", required = true, schema = { type = "string" } }
            ]
            responses = { default = { description = "As documented." } }
            security  = [{ aws_iam = [] }]
            "x-amazon-apigateway-integration" = {
              type                 = "aws_proxy"
              httpMethod           = "POST"
              uri                  = local.invocation_uris[operation["x-foyer-function"]]
              payloadFormatVersion = "2.0"
            }
          } : field => value if field != "security" || contains(flatten([for scheme in operation.security : keys(scheme)]), "aws_iam")
        }
      }
    }
  }
}

resource "aws_apigatewayv2_api" "this" {
  name          = var.name
  protocol_type = "HTTP"
  body          = jsonencode(local.body)
  version       = var.openapi.info.version

  # The API answers preflights itself and writes these headers in place of the function's, which says the same. In the
  # body they would come to nothing: after an import the provider sets what this block says, and nothing without it
  # (internal/service/apigatewayv2/api.go, reimportOpenAPIDefinition).
  dynamic "cors_configuration" {
    for_each = length(var.cors_origins) == 0 ? [] : [var.openapi["x-foyer-cors"]]

    content {
      allow_origins     = var.cors_origins
      allow_credentials = true
      allow_methods     = cors_configuration.value.methods
      allow_headers     = cors_configuration.value.headers
      expose_headers    = cors_configuration.value.exposed_headers
      max_age           = cors_configuration.value.max_age_sec
    }
  }
}

resource "aws_apigatewayv2_stage" "this" {
  api_id      = aws_apigatewayv2_api.this.id
  name        = var.stage
  auto_deploy = true

  default_route_settings {
    throttling_rate_limit  = var.throttle.requests_per_sec
    throttling_burst_limit = var.throttle.burst
  }

  # No query, no address, no user: a path holds zone ids, and for operators a visitor id, so the route it is.
  access_log_settings {
    destination_arn = aws_cloudwatch_log_group.access.arn
    format = jsonencode({
      request_id        = "$context.requestId"
      route             = "$context.routeKey"
      status            = "$context.status"
      latency_ms        = "$context.responseLatency"
      function_ms       = "$context.integrationLatency"
      integration_error = "$context.integrationErrorMessage"
      length_bytes      = "$context.responseLength"
    })
  }

  # Exchanged for another, the new one is there before CloudFront asks it, and the old one until CloudFront does not.
  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_cloudwatch_log_group" "access" {
  #checkov:skip=CKV_AWS_158:Logs hold no token, number or address; CloudWatch encrypts them with its own key.
  #checkov:skip=CKV_AWS_338:How long logs are kept is an option.
  # Groups of this prefix share one resource policy of the account, which cannot hold many names.
  name              = "/aws/vendedlogs/${var.name}-api"
  retention_in_days = var.log_retention_days
}

resource "aws_lambda_permission" "this" {
  for_each = local.components

  statement_id  = "api"
  action        = "lambda:InvokeFunction"
  function_name = var.function_names[each.key]
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_apigatewayv2_api.this.execution_arn}/*/*"
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = var.alarms == null ? {} : {
    failing = {
      description = "The API ${var.name} answers with 5xx: a function fails, or is not started as often as it should be because more arrive than expected_joins_per_sec says or the account's concurrency is used up. Its access log ${aws_cloudwatch_log_group.access.name} says on which routes."
      metric      = "5xx"
      statistic   = "Sum"
      extended    = null
      threshold   = var.alarms.errors_per_min
    }
    slow = {
      description = "One in a hundred requests to the API ${var.name} takes more than 3 s."
      metric      = "Latency"
      statistic   = null
      extended    = "p99"
      threshold   = 3000
    }
  }

  alarm_name        = "${var.name}-api-${each.key}"
  alarm_description = each.value.description

  namespace          = "AWS/ApiGateway"
  metric_name        = each.value.metric
  dimensions         = { ApiId = aws_apigatewayv2_api.this.id }
  statistic          = each.value.statistic
  extended_statistic = each.value.extended
  period             = 60

  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.threshold
  evaluation_periods  = 5
  datapoints_to_alarm = 3
  treat_missing_data  = "notBreaching"

  alarm_actions = var.alarms.actions
  ok_actions    = var.alarms.actions
}
