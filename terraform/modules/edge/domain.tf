locals {
  makes_certificate = local.own_domain && try(var.domain.certificate_arn == null, false)
  certificate_arn   = local.makes_certificate ? one(aws_acm_certificate_validation.this[*].certificate_arn) : try(var.domain.certificate_arn, null)

  # Names of the records by what is known before the certificate is.
  validated_names = local.makes_certificate ? toset(var.domain.names) : toset([])
  address_records = local.own_domain && try(var.domain.address_records, false) ? {
    for pair in setproduct(var.domain.names, ["A", "AAAA"]) : join(" ", pair) => { name = pair[0], type = pair[1] }
  } : {}
}

# CloudFront takes certificates from us-east-1 alone.
resource "aws_acm_certificate" "this" {
  count  = local.makes_certificate ? 1 : 0
  region = "us-east-1"

  domain_name               = var.domain.names[0]
  subject_alternative_names = slice(var.domain.names, 1, length(var.domain.names))
  validation_method         = "DNS"

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_route53_record" "validation" {
  for_each = local.validated_names

  zone_id         = var.domain.hosted_zone_id
  name            = one([for option in aws_acm_certificate.this[0].domain_validation_options : option.resource_record_name if option.domain_name == each.key])
  type            = one([for option in aws_acm_certificate.this[0].domain_validation_options : option.resource_record_type if option.domain_name == each.key])
  records         = [one([for option in aws_acm_certificate.this[0].domain_validation_options : option.resource_record_value if option.domain_name == each.key])]
  ttl             = 300
  allow_overwrite = true
}

resource "aws_acm_certificate_validation" "this" {
  count  = local.makes_certificate ? 1 : 0
  region = "us-east-1"

  certificate_arn         = aws_acm_certificate.this[0].arn
  validation_record_fqdns = [for record in aws_route53_record.validation : record.fqdn]
}

# A site that is live has such records already: who asks for ours wants them written over.
resource "aws_route53_record" "address" {
  for_each = local.address_records

  zone_id         = var.domain.hosted_zone_id
  name            = each.value.name
  type            = each.value.type
  allow_overwrite = true

  alias {
    name                   = aws_cloudfront_distribution.this.domain_name
    zone_id                = aws_cloudfront_distribution.this.hosted_zone_id
    evaluate_target_health = false
  }
}
