"""Documentation made from what is: Terraform's own files, schemas/ and the cost table."""
