# Nothing here but the API itself: the functions that are told these addresses are also the ones it calls.

output "domain_name" {
  description = "Host name of the API, the origin of its behaviour."
  value       = replace(aws_apigatewayv2_api.this.api_endpoint, "/^[a-z]+:[/]{2}/", "")
}

output "stage" {
  description = "Name of the stage, which is the whole path."
  value       = var.stage
}

output "management_endpoint" {
  description = "Where messages to open connections are sent."
  value       = "https://${replace(aws_apigatewayv2_api.this.api_endpoint, "/^[a-z]+:[/]{2}/", "")}/${var.stage}"
}

output "connections_arn" {
  description = "What the right to send to open connections, and to end them, is written on."
  value       = "${aws_apigatewayv2_api.this.execution_arn}/${var.stage}/*/@connections/*"
}
