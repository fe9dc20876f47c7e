output "site_url" {
  description = "Address that visitors use."
  value       = module.waiting_room.site_url
}

output "api_endpoint" {
  description = "Address for operators: export FOYER_API_URL=$(terraform output -raw api_endpoint)."
  value       = module.waiting_room.api_endpoint
}
