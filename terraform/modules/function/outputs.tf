output "name" {
  description = "Name of the function."
  value       = aws_lambda_function.this.function_name
}

output "arn" {
  description = "ARN of the function, without a version."
  value       = aws_lambda_function.this.arn
}

output "qualified_arn" {
  description = "ARN of the newest version; CloudFront takes no other."
  value       = aws_lambda_function.this.qualified_arn
}

output "role_name" {
  description = "Name of the function's role."
  value       = aws_iam_role.this.name
}

output "log_group_name" {
  description = "Name of the function's log group; null at the edge, where every Region has its own."
  value       = one(aws_cloudwatch_log_group.this[*].name)
}
