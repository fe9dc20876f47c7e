output "table_arn" {
  description = "ARN of the Timestream table; null with CloudWatch."
  value       = one(aws_timestreamwrite_table.this[*].arn)
}

output "environment" {
  description = "What a function is told about the metrics backend; `none` where there is nothing to tell."
  value = {
    METRICS_BACKEND   = var.backend
    METRICS_NAMESPACE = var.name
    METRICS_DATABASE  = local.timestream ? one(aws_timestreamwrite_database.this[*].database_name) : "none"
    METRICS_TABLE     = local.timestream ? one(aws_timestreamwrite_table.this[*].table_name) : "none"
  }
}
