output "key_arn" {
  description = "ARN of the key that telephone numbers are encrypted with."
  value       = aws_kms_key.this.arn
}

output "configuration_set" {
  description = "Name of the configuration set that alerts are sent with."
  value       = aws_pinpointsmsvoicev2_configuration_set.this.name
}

output "opt_out_list" {
  description = "Name of the list of numbers that want no more alerts."
  value       = aws_pinpointsmsvoicev2_opt_out_list.this.name
}
