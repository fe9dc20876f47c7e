locals {
  database = replace(var.name, "-", "_")
  table    = "changes"

  # One JSON object a line. Times are numbers; everything else is read as text, which no change of the code breaks.
  attributes = sort(distinct(flatten([for kind in var.schema.item_kinds : keys(kind.attributes)])))
  columns    = concat(["place", "change", "changed_at_ms"], local.attributes)

  queries = {
    waits = {
      description = "How long the admitted of each zone and run waited, in seconds."
      text        = <<-SQL
        WITH visits AS (
          SELECT split_part(place, '#', 1) AS zone_id, split_part(place, '#', 2) AS run, place,
            max(admitted_at_ms) - min(joined_at_ms) AS wait_ms
          FROM ${local.table}
          WHERE day >= date_format(current_date - interval '7' day, '%Y-%m-%d')
          GROUP BY place
          HAVING max(admitted_at_ms) IS NOT NULL
        )
        SELECT zone_id, run, count(*) AS admitted,
          approx_percentile(wait_ms, 0.5) / 1000 AS median_sec, approx_percentile(wait_ms, 0.95) / 1000 AS p95_sec
        FROM visits
        GROUP BY zone_id, run
        ORDER BY zone_id, run
      SQL
    }
    outcomes = {
      description = "What became of the visitors of each zone and run."
      text        = <<-SQL
        SELECT split_part(place, '#', 1) AS zone_id, split_part(place, '#', 2) AS run, last_status, count(*) AS visitors
        FROM (
          SELECT place, max_by(status, changed_at_ms) AS last_status
          FROM ${local.table}
          WHERE day >= date_format(current_date - interval '7' day, '%Y-%m-%d')
          GROUP BY place
        )
        GROUP BY 1, 2, 3
        ORDER BY 1, 2, 3
      SQL
    }
    one_visitor = {
      description = "Everything that happened to one place in line: put zone, run and visitor id between the quotes."
      text        = <<-SQL
        SELECT * FROM ${local.table} WHERE place = 'zone#1#visitor' ORDER BY changed_at_ms
      SQL
    }
  }
}

resource "aws_glue_catalog_database" "this" {
  name        = local.database
  description = "The archive of ${var.name}."
}

resource "aws_glue_catalog_table" "this" {
  database_name = aws_glue_catalog_database.this.name
  name          = local.table
  description   = "Every change of a place in line."
  table_type    = "EXTERNAL_TABLE"

  parameters = {
    "EXTERNAL"                     = "TRUE"
    "classification"               = "json"
    "projection.enabled"           = "true"
    "projection.day.type"          = "date"
    "projection.day.format"        = "yyyy-MM-dd"
    "projection.day.range"         = "2025-01-01,NOW"
    "projection.day.interval"      = "1"
    "projection.day.interval.unit" = "DAYS"
    "storage.location.template"    = "s3://${aws_s3_bucket.this.bucket}/${local.changes_prefix}day=$${day}/"
  }

  partition_keys {
    name = "day"
    type = "string"
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
        name = columns.value
        type = endswith(columns.value, "_at_ms") ? "bigint" : "string"
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

resource "aws_athena_named_query" "this" {
  for_each = local.queries

  name        = "${var.name}-${replace(each.key, "_", "-")}"
  description = each.value.description
  database    = aws_glue_catalog_database.this.name
  workgroup   = aws_athena_workgroup.this.name
  query       = each.value.text
}
