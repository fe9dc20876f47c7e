output "id" {
  description = "Id of the API."
  value       = aws_apigatewayv2_api.this.id
}

output "endpoint" {
  description = "Address of the API, for operators; visitors come through CloudFront."
  value       = aws_apigatewayv2_api.this.api_endpoint
}

output "domain_name" {
  description = "Host name of the API, the origin of its behaviours."
  value       = trimprefix(aws_apigatewayv2_api.this.api_endpoint, "https://")
}

output "execution_arn" {
  description = "What rights to call the API are written on."
  value       = aws_apigatewayv2_api.this.execution_arn
}
