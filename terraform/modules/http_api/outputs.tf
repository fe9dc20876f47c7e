output "id" {
  description = "Id of the API."
  value       = aws_apigatewayv2_api.this.id
}

output "endpoint" {
  description = "Address of the API with its stage, for operators; visitors come through CloudFront."
  value       = "${aws_apigatewayv2_api.this.api_endpoint}/${aws_apigatewayv2_stage.this.name}"
}

output "domain_name" {
  description = "Host name of the API, the origin of its behaviours."
  value       = trimprefix(aws_apigatewayv2_api.this.api_endpoint, "https://")
}

output "stage" {
  description = "Name of the stage, the start of every path at the origin."
  value       = aws_apigatewayv2_stage.this.name
}

output "execution_arn" {
  description = "What rights to call the API are written on."
  value       = aws_apigatewayv2_api.this.execution_arn
}
