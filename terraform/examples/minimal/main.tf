# A waiting room in front of a site that runs already. `make build` first, then `terraform apply`.
provider "aws" {
  region = var.region
}

module "waiting_room" {
  source = "../.."

  artifacts_dir      = var.artifacts_dir
  origin_domain_name = var.origin_domain_name
}
