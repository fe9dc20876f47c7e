# CloudWatch takes business metrics from the recorder's log lines (embedded metric format): there is nothing to make.
# Timestream for LiveAnalytics takes no new customers since June 2025; this is for accounts that have it.
locals {
  timestream = var.backend == "timestream"
}

resource "aws_timestreamwrite_database" "this" {
  #checkov:skip=CKV_AWS_160:Timestream encrypts with its own key; the points are counts.
  count = local.timestream ? 1 : 0

  database_name = var.name
}

resource "aws_timestreamwrite_table" "this" {
  count = local.timestream ? 1 : 0

  database_name = aws_timestreamwrite_database.this[0].database_name
  table_name    = var.table

  retention_properties {
    memory_store_retention_period_in_hours  = var.retention.memory_hours
    magnetic_store_retention_period_in_days = var.retention.magnetic_days
  }

  # A stream that was held up brings points older than the memory store keeps.
  magnetic_store_write_properties {
    enable_magnetic_store_writes = true
  }
}
