output "id" {
  description = "Id of the distribution."
  value       = aws_cloudfront_distribution.this.id
}

output "arn" {
  description = "ARN of the distribution."
  value       = aws_cloudfront_distribution.this.arn
}

output "domain_name" {
  description = "Name that CloudFront gave the distribution; where the site's own name is not in the Route 53 zone given, point it here."
  value       = aws_cloudfront_distribution.this.domain_name
}

output "site_url" {
  description = "Address of the site."
  value       = "https://${local.own_domain ? var.domain.names[0] : aws_cloudfront_distribution.this.domain_name}"
}
