# Plans only, with a mocked provider: what the code decides, nothing that AWS does. `validate` sees neither counts nor
# names nor conditions.
mock_provider "aws" {
  mock_data "aws_region" {
    defaults = { region = "eu-west-1" }
  }
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }
  mock_data "aws_servicequotas_service_quota" {
    defaults = { value = 40000 }
  }
}

variables {
  artifacts_dir      = "tests/artifacts"
  origin_domain_name = "origin.example.com"
}

run "a_distribution_in_front_of_the_site" {
  command = plan

  assert {
    condition     = length(module.edge) == 1 && length(module.security) == 0 && length(aws_shield_protection.this) == 0
    error_message = "By default there is a distribution, and no firewall."
  }

  assert {
    condition     = toset(keys(module.function)) == toset([for name, spec in jsondecode(file("../schemas/functions.json")).functions : name if !spec.edge])
    error_message = "Every regional function of schemas/functions.json is made."
  }

  assert {
    condition     = output.table_names == { counters = "foyer-counters", joins = "foyer-joins", protected_zones = "foyer-protected-zones", queue = "foyer-queue", user_connections = "foyer-user-connections" }
    error_message = "Tables are called after the deployment and their schema."
  }

  assert {
    condition     = output.sizing.bouncer_concurrency == 50 && length(output.sizing.warm_throughput) == 0 && output.sizing.shards == 1
    error_message = "A hundred joins a second fit into what AWS gives a new table, and one shard."
  }

  # Managed-AllViewerExceptHostHeader: nobody's servers know the name that CloudFront gave.
  assert {
    condition     = output.attachment.behaviours[length(output.attachment.behaviours) - 1].origin_request_policy_id == "b689b0a8-53d0-40ab-baf2-68738e2966ac"
    error_message = "Without a domain the site's servers are asked by their own name."
  }

  assert {
    condition     = toset(keys(output.alarm_topic_arns)) == toset(["eu-west-1", "us-east-1"])
    error_message = "Alarms tell a topic of their own Region, and CloudFront's metrics are in us-east-1."
  }
}
