output "bucket" {
  description = "Name of the archive bucket."
  value       = aws_s3_bucket.this.bucket
}

output "stream_name" {
  description = "Name of the delivery stream."
  value       = aws_kinesis_firehose_delivery_stream.this.name
}

output "workgroup" {
  description = "Athena workgroup for questions to the archive."
  value       = aws_athena_workgroup.this.name
}
