locals {
  database = replace(var.name, "-", "_")
  table    = var.schema.table
  columns  = { for name, field in var.schema.fields : name => field if !contains(var.schema.partitions, name) }
}

resource "aws_glue_catalog_database" "this" {
  name        = local.database
  description = "The archive of ${var.name}."
}

resource "aws_glue_catalog_table" "this" {
  database_name = aws_glue_catalog_database.this.name
  name          = local.table
  description   = "Every change of a place in line and every action of an operator."
  table_type    = "EXTERNAL_TABLE"

  parameters = {
    "EXTERNAL"                     = "TRUE"
    "classification"               = "json"
    "projection.enabled"           = "true"
    "projection.zone_id.type"      = "injected"
    "projection.day.type"          = "date"
    "projection.day.format"        = "yyyy-MM-dd"
    "projection.day.range"         = "2025-01-01,NOW"
    "projection.day.interval"      = "1"
    "projection.day.interval.unit" = "DAYS"
    "storage.location.template"    = "s3://${aws_s3_bucket.this.bucket}/${local.changes_prefix}zone_id=$${zone_id}/day=$${day}/"
  }

  dynamic "partition_keys" {
    for_each = var.schema.partitions

    content {
      name = partition_keys.value
      type = var.schema.fields[partition_keys.value].type
    }
  }

  storage_descriptor {
    location      = "s3://${aws_s3_bucket.this.bucket}/${local.changes_prefix}"
    input_format  = "org.apache.hadoop.mapred.TextInputFormat"
    output_format = "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat"

    ser_de_info {
      name                  = "json"
      serialization_library = "org.openx.data.jsonserde.JsonSerDe"
      parameters            = { "ignore.malformed.json" = "true" }
    }

    dynamic "columns" {
      for_each = local.columns

      content {
        name    = columns.key
        type    = columns.value.type
        comment = columns.value.description
      }
    }
  }
}

resource "aws_athena_workgroup" "this" {
  name          = "${var.name}-archive"
  description   = "Questions to the archive of ${var.name}."
  force_destroy = true

  configuration {
    enforce_workgroup_configuration    = true
    publish_cloudwatch_metrics_enabled = false

    # 100 GB are half a dollar: a forgotten WHERE must not cost more.
    bytes_scanned_cutoff_per_query = 100 * pow(1024, 3)

    result_configuration {
      output_location = "s3://${aws_s3_bucket.this.bucket}/${local.results_prefix}"

      encryption_configuration {
        encryption_option = "SSE_S3"
      }
    }
  }
}

# A question has `?` for what is asked about; Athena asks for the values when it is run.
resource "aws_athena_named_query" "this" {
  for_each = var.questions

  name        = "${var.name}-${replace(each.key, "_", "-")}"
  description = "${var.schema.questions[each.key].description} Parameters: ${join(", ", var.schema.questions[each.key].parameters)}."
  database    = aws_glue_catalog_database.this.name
  workgroup   = aws_athena_workgroup.this.name
  query       = each.value
}
