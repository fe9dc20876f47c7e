# One input decides all sizes; where the account allows less, a plan warns. The quotas here are those of a small account.
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
    defaults = { value = 1000 }
  }
}

variables {
  artifacts_dir      = "tests/artifacts"
  origin_domain_name = "origin.example.com"
}

run "a_small_sale_fits" {
  command = plan

  variables {
    expected_joins_per_sec = 1
  }

  assert {
    condition     = output.sizing.shards == 1 && output.sizing.errors_per_min == 1 && output.sizing.throttles_per_min == 1
    error_message = "However small the sale is, one fault alone raises no alarm."
  }
}

run "a_large_sale_says_which_quotas_are_too_low" {
  command = plan

  variables {
    expected_joins_per_sec = 10000
  }

  expect_failures = [check.lambda_concurrency, check.api_requests, check.table_writes, check.table_reads, check.reserved_concurrency]
}

run "a_new_account_reserves_nothing_and_can_be_applied" {
  command = plan

  override_data {
    target = data.aws_servicequotas_service_quota.this
    values = { value = 10 }
  }

  expect_failures = [check.lambda_concurrency, check.api_requests, check.table_writes, check.table_reads, check.reserved_concurrency]

  assert {
    condition     = output.sizing.reserved_concurrency == 0
    error_message = "Of a quota of 10 AWS lets nobody reserve anything."
  }
}

run "as_much_is_reserved_as_aws_allows" {
  command = plan

  override_data {
    target = data.aws_servicequotas_service_quota.this
    values = { value = 120 }
  }

  expect_failures = [check.lambda_concurrency, check.api_requests, check.table_writes, check.table_reads, check.reserved_concurrency]

  assert {
    condition     = output.sizing.reserved_concurrency == 1 && local.reserved_concurrency["publisher"] == 1 && local.reserved_concurrency["bouncer"] == null
    error_message = "Less than all would be the bouncer's ceiling: it is not reserved in part."
  }
}

run "where_the_quota_allows_it_the_bouncer_has_its_share" {
  command = plan

  variables {
    expected_joins_per_sec = 1
  }

  assert {
    condition     = local.reserved_concurrency["bouncer"] == output.sizing.bouncer_concurrency && output.sizing.reserved_concurrency == output.sizing.bouncer_concurrency + 1
    error_message = "A thousand are enough for a small sale."
  }
}

run "a_table_that_is_too_cold_is_told_with_what_raises_it" {
  command = plan

  variables {
    expected_joins_per_sec = 10000
    check_quotas           = false
  }

  override_module {
    target = module.table
    outputs = {
      name            = "foyer-queue"
      arn             = "arn:aws:dynamodb:eu-west-1:123456789012:table/foyer-queue"
      stream_arn      = "arn:aws:dynamodb:eu-west-1:123456789012:table/foyer-queue/stream/2026-01-01T00:00:00.000"
      warm_throughput = { read_units_per_sec = 90000, write_units_per_sec = 20000 }
    }
  }

  expect_failures = [check.warm_throughput]

  assert {
    condition     = keys(local.cold_tables) == ["joins"] && endswith(local.cold_tables["joins"], "--table-name foyer-joins --warm-throughput ReadUnitsPerSecond=90000,WriteUnitsPerSecond=30000")
    error_message = "What it is warm for already is kept."
  }
}

run "a_large_sale_is_sized" {
  command = plan

  variables {
    expected_joins_per_sec = 10000
    check_quotas           = false
  }

  assert {
    condition     = output.sizing.shards == 100 && output.sizing.bouncer_concurrency == 3020 && output.sizing.reserved_concurrency == 3021
    error_message = "Of several shards each takes 100 joins a second; a bouncer is busy for a tenth of a second with each of three requests."
  }

  assert {
    condition = output.sizing.warm_throughput == {
      joins = { read_units_per_sec = 37500, write_units_per_sec = 30000 }
      queue = { read_units_per_sec = 37500, write_units_per_sec = 13750 }
    }
    error_message = "The places are warm for every join and 500 claims a second, and a quarter more; the join counters three times."
  }

  assert {
    condition     = output.sizing.errors_per_min == 1800 && output.sizing.throttles_per_min == 600
    error_message = "Alarms go off at one in a thousand."
  }
}
