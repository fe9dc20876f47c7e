output "topic_arn" {
  description = "ARN of the topic that alarms of this Region tell; null without alarms."
  value       = var.alarms ? aws_sns_topic.this[local.home].arn : null
}

output "topic_arns" {
  description = "ARNs of the topics by Region."
  value       = { for region, topic in aws_sns_topic.this : region => topic.arn }
}

output "dashboard_name" {
  description = "Name of the dashboard; null without one."
  value       = one(aws_cloudwatch_dashboard.this[*].dashboard_name)
}
