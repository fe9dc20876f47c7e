# Warnings, not errors: an account may be about to get more. `wr preflight` says the same with what to ask for.
# The quotas are read outside of the checks, for a check that reads anything is part of every plan, even of an empty one.
locals {
  quotas = {
    lambda_concurrency = { service = "lambda", code = "L-B99A9384" }
    api_requests       = { service = "apigateway", code = "L-8A5B8E43" }
    table_writes       = { service = "dynamodb", code = "L-AB614373" }
    table_reads        = { service = "dynamodb", code = "L-CF0CBE56" }
  }
  allowed = { for name, quota in data.aws_servicequotas_service_quota.this : name => quota.value }

  # Of what is left AWS keeps 100 back, and the other functions need some.
  needed_concurrency = local.bouncer_concurrency + 150 + local.edge_concurrency

  # Tables that are there and not as warm as they should be, each with what raises it. AWS says nothing of those that are as
  # warm as a new table.
  cold_tables = {
    for key, wanted in local.warm_throughput : key => join(" ", [
      "aws dynamodb update-table --region ${local.region} --table-name ${local.table_names[key]} --warm-throughput",
      "ReadUnitsPerSecond=${max(wanted.read_units_per_sec, module.table[key].warm_throughput.read_units_per_sec)},WriteUnitsPerSecond=${max(wanted.write_units_per_sec, module.table[key].warm_throughput.write_units_per_sec)}",
    ])
    if module.table[key].warm_throughput.write_units_per_sec < wanted.write_units_per_sec || module.table[key].warm_throughput.read_units_per_sec < wanted.read_units_per_sec
  }

  # How far a new account gets; scripts/deployment/sizing.py derives it.
  without_asking = "An account that never asked for more takes 1,676 joins a second (2,200 where no visitor is near ${local.region})."
}

data "aws_servicequotas_service_quota" "this" {
  for_each = var.check_quotas ? local.quotas : {}

  service_code = each.value.service
  quota_code   = each.value.code
}

check "lambda_concurrency" {
  assert {
    condition     = try(local.allowed.lambda_concurrency >= local.needed_concurrency, true)
    error_message = "For ${local.joins_per_sec} joins a second Lambda needs ${local.needed_concurrency} concurrent executions in ${local.region}, ${local.edge_concurrency} of them for the gate, and the account has ${try(local.allowed.lambda_concurrency, 0)}: ask for more under Service Quotas, AWS Lambda, Concurrent executions (L-B99A9384). Until then lower expected_joins_per_sec. ${local.without_asking}"
  }
}

check "reserved_concurrency" {
  assert {
    condition     = !var.functions.reserve_concurrency || local.wanted_in_total <= local.reservable
    error_message = "Nothing is kept for the bouncer: it would be ${local.wanted_in_total} concurrent executions, and of the ${try(local.allowed.lambda_concurrency, 0)} of the account AWS leaves ${local.reservable} to be reserved. Other functions can use up what visitors need. Ask for more under Service Quotas, AWS Lambda, Concurrent executions (L-B99A9384), and apply again; or set functions.reserve_concurrency to false."
  }
}

# Terraform warms a table when it makes it, and leaves it alone afterwards: see modules/table.
check "warm_throughput" {
  assert {
    condition     = length(local.cold_tables) == 0
    error_message = "Tables are warm for less than ${local.joins_per_sec} joins a second need, and an apply does not change that. Raise each, which AWS charges once and never lowers: ${join("; ", values(local.cold_tables))}"
  }
}

check "api_requests" {
  assert {
    condition     = try(local.allowed.api_requests >= local.api_requests_per_sec, true)
    error_message = "For ${local.joins_per_sec} joins a second API Gateway must take ${local.api_requests_per_sec} requests a second in ${local.region}, and the account has ${try(local.allowed.api_requests, 0)}: ask for more under Service Quotas, Amazon API Gateway, Throttle rate (L-8A5B8E43). ${local.without_asking}"
  }
}

check "table_writes" {
  assert {
    condition     = try(local.allowed.table_writes >= max(local.write_units_per_sec, local.join_write_units_per_sec), true)
    error_message = "For ${local.joins_per_sec} joins a second a table must be warm for ${max(local.write_units_per_sec, local.join_write_units_per_sec)} writes a second, and the account allows ${try(local.allowed.table_writes, 0)}: ask for more under Service Quotas, Amazon DynamoDB, Table-level write throughput limit (L-AB614373)."
  }
}

check "table_reads" {
  assert {
    condition     = try(local.allowed.table_reads >= local.read_units_per_sec, true)
    error_message = "For ${local.joins_per_sec} joins a second a table must take ${local.read_units_per_sec} reads a second, and the account allows ${try(local.allowed.table_reads, 0)}: ask for more under Service Quotas, Amazon DynamoDB, Table-level read throughput limit (L-CF0CBE56)."
  }
}
