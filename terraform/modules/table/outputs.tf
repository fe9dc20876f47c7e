output "name" {
  description = "Name of the table."
  value       = aws_dynamodb_table.this.name
}

output "arn" {
  description = "ARN of the table."
  value       = aws_dynamodb_table.this.arn
}

output "stream_arn" {
  description = "ARN of the table's stream; null without one."
  value       = var.schema.stream == null ? null : aws_dynamodb_table.this.stream_arn
}

output "warm_throughput" {
  description = "What the table can take at once, as AWS says it; what every new table has where it says nothing."
  value = {
    read_units_per_sec  = try(aws_dynamodb_table.this.warm_throughput[0].read_units_per_second, 12000)
    write_units_per_sec = try(aws_dynamodb_table.this.warm_throughput[0].write_units_per_second, 4000)
  }
}
