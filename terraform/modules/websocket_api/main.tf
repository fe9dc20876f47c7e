data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {}

locals {
  routes = { for route in var.schema.routes : route.route_key => route }
  invocation_uri = join("", [
    "arn:${data.aws_partition.current.partition}:apigateway:${data.aws_region.current.region}:lambda:path/2015-03-31/functions/",
    "arn:${data.aws_partition.current.partition}:lambda:${data.aws_region.current.region}:${data.aws_caller_identity.current.account_id}",
    ":function:${var.function_name}/invocations",
  ])
}

resource "aws_apigatewayv2_api" "this" {
  name                       = var.name
  description                = var.schema.description
  protocol_type              = "WEBSOCKET"
  route_selection_expression = "$request.body.action"
}

resource "aws_apigatewayv2_integration" "this" {
  api_id             = aws_apigatewayv2_api.this.id
  integration_type   = "AWS_PROXY"
  integration_method = "POST"
  integration_uri    = local.invocation_uri
}

resource "aws_apigatewayv2_route" "this" {
  #checkov:skip=CKV_AWS_309:$connect is where the function looks at Origin and visitor token; the others follow it.
  for_each = local.routes

  api_id             = aws_apigatewayv2_api.this.id
  route_key          = each.key
  authorization_type = "NONE"
  target             = "integrations/${aws_apigatewayv2_integration.this.id}"

  route_response_selection_expression = each.value.response ? "$default" : null
}

# A WebSocket API takes changes with a deployment and not before.
resource "aws_apigatewayv2_deployment" "this" {
  api_id = aws_apigatewayv2_api.this.id

  triggers = {
    routes = sha256(jsonencode([local.routes, local.invocation_uri]))
  }

  lifecycle {
    create_before_destroy = true
  }

  depends_on = [aws_apigatewayv2_route.this]
}

resource "aws_apigatewayv2_stage" "this" {
  #checkov:skip=CKV2_AWS_51:Browsers have no client certificates.
  #checkov:skip=CKV_AWS_76:Access logs of WebSocket APIs need a role for the whole account; the function logs every connect.
  api_id        = aws_apigatewayv2_api.this.id
  name          = var.stage
  deployment_id = aws_apigatewayv2_deployment.this.id

  default_route_settings {
    throttling_rate_limit  = var.throttle.requests_per_sec
    throttling_burst_limit = var.throttle.burst
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_lambda_permission" "this" {
  statement_id  = "websocket"
  action        = "lambda:InvokeFunction"
  function_name = var.function_name
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_apigatewayv2_api.this.execution_arn}/*/*"
}
