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
    error_message = "For ${local.joins_per_sec} joins a second Lambda needs ${local.needed_concurrency} concurrent executions in ${local.region}, ${local.edge_concurrency} of them for the gate, and the account has ${try(local.allowed.lambda_concurrency, 0)}: ask for more under Service Quotas, AWS Lambda, Concurrent executions (L-B99A9384). Until then lower expected_joins_per_sec, or set functions.reserve_concurrency = false where AWS refuses the reservation. ${local.without_asking}"
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
