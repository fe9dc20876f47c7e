output "bucket" {
  description = "Name of the site bucket. Known when the first gate snapshot lies in it."
  value       = aws_s3_bucket.this.bucket
  depends_on  = [aws_s3_object.first_snapshot]
}

output "bucket_domain_name" {
  description = "Regional host name of the site bucket, the origin of its behaviours."
  value       = aws_s3_bucket.this.bucket_regional_domain_name
}
