# Plans only, with a mocked provider.
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
}

variables {
  name      = "foyer"
  schema    = jsondecode(file("../../../schemas/archive.json"))
  questions = { waits = file("../../../schemas/archive/waits.sql") }
  tiers     = { infrequent_access_after_days = 30, glacier_after_days = 90, expire_after_days = 365 }
}

run "tiers_and_columns" {
  command = plan

  assert {
    condition     = { for each in aws_s3_bucket_lifecycle_configuration.this.rule[0].transition : each.storage_class => each.days } == { STANDARD_IA = 30, GLACIER = 90 } && aws_s3_bucket_lifecycle_configuration.this.rule[0].expiration[0].days == 365
    error_message = "Files move to Infrequent Access, then to Glacier, and go."
  }

  assert {
    condition     = contains([for column in aws_glue_catalog_table.this.storage_descriptor[0].columns : "${column.name} ${column.type}"], "joined_at_ms bigint")
    error_message = "The columns are the fields of the archive."
  }

  assert {
    condition     = aws_glue_catalog_table.this.parameters["projection.enabled"] == "true" && aws_glue_catalog_table.this.parameters["storage.location.template"] == "s3://foyer-archive-123456789012/changes/zone_id=$${zone_id}/day=$${day}/"
    error_message = "Athena works the partitions out."
  }

  assert {
    condition     = startswith(one(aws_kinesis_firehose_delivery_stream.this.extended_s3_configuration).prefix, "changes/zone_id=!{partitionKeyFromQuery:zone_id}/day=!{partitionKeyFromQuery:day}/")
    error_message = "Firehose writes where Athena looks."
  }
}

run "questions" {
  command = plan

  assert {
    condition     = aws_athena_named_query.this["waits"].query == file("../../../schemas/archive/waits.sql")
    error_message = "Athena asks what the repository's files ask."
  }

  assert {
    condition     = !contains([for column in aws_glue_catalog_table.this.storage_descriptor[0].columns : column.name], "zone_id")
    error_message = "A partition is no column: Glue would refuse the table."
  }
}

run "wrong_tiers" {
  command = plan

  variables {
    tiers = { infrequent_access_after_days = 30, glacier_after_days = 40, expire_after_days = 365 }
  }

  expect_failures = [var.tiers]
}
