locals {
  # Seconds since 1970 of this apply, for the gate asks how old a snapshot is. Days from a calendar date by counting
  # years from March: https://howardhinnant.github.io/date_algorithms.html#days_from_civil
  now        = timestamp()
  year       = tonumber(formatdate("YYYY", local.now)) - (tonumber(formatdate("M", local.now)) <= 2 ? 1 : 0)
  month      = (tonumber(formatdate("M", local.now)) + 9) % 12
  days       = 365 * local.year + floor(local.year / 4) - floor(local.year / 100) + floor(local.year / 400) + floor((153 * local.month + 2) / 5) + tonumber(formatdate("D", local.now)) - 1 - 719468
  now_at_sec = 86400 * local.days + 3600 * tonumber(formatdate("h", local.now)) + 60 * tonumber(formatdate("m", local.now)) + tonumber(formatdate("s", local.now))
}

# Lets the site run until the publisher has written its first own snapshot, a minute after the schedule begins.
resource "aws_s3_object" "first_snapshot" {
  bucket        = aws_s3_bucket.this.id
  key           = var.snapshot.key
  content_type  = "application/json"
  cache_control = var.snapshot.cache_control
  content = jsonencode({
    version         = 0
    published_at_ms = 1000 * local.now_at_sec
    issuer          = var.snapshot.issuer
    keys            = []
    zones           = []
    revoked         = { sids = [], visitors = [], bypass = [] }
  })

  # From then on it is the publisher's.
  lifecycle {
    ignore_changes = all
  }
}
