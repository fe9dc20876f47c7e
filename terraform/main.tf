module "table" {
  source   = "./modules/table"
  for_each = local.tables

  name                = local.table_names[each.key]
  schema              = each.value
  warm_throughput     = lookup(local.warm_throughput, each.key, null)
  deletion_protection = var.tables.deletion_protection
  kms_key_arn         = var.tables.kms_key_arn

  # Only operators write zones: too few to be refused.
  alarms = var.monitoring.alarms && each.key != "protected_zones" ? {
    actions           = local.alarm_actions
    throttles_per_min = local.throttles_per_min
  } : null
}

module "http_api" {
  source = "./modules/http_api"

  name               = var.name
  openapi            = local.openapi
  stage              = local.api_stage
  function_names     = { for component, function in module.function : component => function.name }
  log_retention_days = var.functions.log_retention_days
  cors_origins       = var.cors_origins

  throttle = {
    requests_per_sec = local.api_requests_per_sec
    burst            = min(5000, local.api_requests_per_sec)
  }

  alarms = var.monitoring.alarms ? {
    actions        = local.alarm_actions
    errors_per_min = local.errors_per_min
  } : null
}

module "websocket_api" {
  source = "./modules/websocket_api"
  count  = local.has_websocket ? 1 : 0

  name          = "${var.name}-websocket"
  schema        = local.websocket
  stage         = local.api_stage
  function_name = module.function[local.websocket.function].name

  throttle = {
    requests_per_sec = local.api_requests_per_sec
    burst            = min(5000, local.api_requests_per_sec)
  }
}

module "storage" {
  source = "./modules/storage"

  name             = var.name
  distribution_arn = local.has_distribution ? module.edge[0].arn : var.existing_distribution.arn

  snapshot = {
    key           = local.snapshot_key
    cache_control = local.snapshot_behaviour.cache_control
    issuer        = var.name
  }
}

module "behaviours" {
  source = "./modules/behaviours"

  name                 = var.name
  behaviours           = local.behaviours
  api_domain_name      = module.http_api.domain_name
  api_stage            = module.http_api.stage
  websocket            = local.has_websocket ? { domain_name = module.websocket_api[0].domain_name, stage = module.websocket_api[0].stage } : null
  bucket_domain_name   = module.storage.bucket_domain_name
  origin_shield_region = local.origin_shield_region

  site = {
    cache_policy_id = var.distribution.site_cache_policy_id
    # Not by whether there is an existing distribution: that one is made of what is made of this.
    forward_host_header = coalesce(var.distribution.forward_host_header, var.distribution.domain != null)
  }
}

module "edge" {
  source = "./modules/edge"
  count  = local.has_distribution ? 1 : 0

  name                  = var.name
  origins               = module.behaviours.origins
  behaviours            = module.behaviours.behaviours
  error_caching_min_ttl = module.behaviours.error_caching_min_ttl
  origin_secret         = local.origin_secret
  gatekeeper_arn        = module.gatekeeper.qualified_arn
  site                  = merge(var.distribution.origin, { domain_name = var.origin_domain_name })
  domain                = var.distribution.domain
  price_class           = var.distribution.price_class
  error_page_path       = var.distribution.error_page_path
  access_logs_bucket    = var.distribution.access_logs_bucket
  web_acl_arn           = var.security.firewall ? module.security[0].web_acl_arn : var.security.web_acl_arn
}

# Where the exchanger looks at the door from outside (layer/python/waiting_room/domain/locations.py). No behaviour of a
# distribution serves it.
resource "aws_s3_object" "site" {
  bucket       = module.storage.bucket
  key          = "site.json"
  content_type = "application/json"
  content      = jsonencode({ site_url = local.site_url })
}

module "security" {
  source = "./modules/security"
  count  = var.security.firewall ? 1 : 0

  name                       = var.name
  prefix                     = local.behaviours.prefix
  snapshot_path              = local.snapshot_path
  requests_per_5_min         = var.security.requests_per_5_min
  blocked_requests_per_5_min = var.security.blocked_requests_per_5_min
  managed_rule_groups        = var.security.managed_rule_groups
  challenge                  = var.security.challenge
  bots                       = var.security.bots
  bot_header                 = local.behaviours.bot_header
}

resource "aws_shield_protection" "this" {
  count = var.security.shield_advanced && local.has_distribution ? 1 : 0

  name         = var.name
  resource_arn = module.edge[0].arn
}

module "metrics" {
  source = "./modules/metrics"

  name    = var.name
  table   = jsondecode(file("${local.schemas}/metrics.json")).table
  backend = local.has_recorder ? var.metrics.backend : "cloudwatch"
}

module "archive" {
  source = "./modules/archive"
  count  = local.has_archive ? 1 : 0

  name               = var.name
  schema             = jsondecode(file("${local.schemas}/archive.json"))
  questions          = { for question in keys(jsondecode(file("${local.schemas}/archive.json")).questions) : question => file("${local.schemas}/archive/${question}.sql") }
  force_destroy      = var.archive.force_destroy
  log_retention_days = var.functions.log_retention_days

  tiers = {
    infrequent_access_after_days = var.archive.infrequent_access_after_days
    glacier_after_days           = var.archive.glacier_after_days
    expire_after_days            = var.archive.expire_after_days
  }
}

module "alerts" {
  source = "./modules/alerts"
  count  = local.has_alerts ? 1 : 0

  name = var.name
}

module "monitoring" {
  source = "./modules/monitoring"

  name                 = var.name
  alarms               = var.monitoring.alarms
  emails               = var.monitoring.emails
  dashboard            = var.monitoring.dashboard
  budget               = var.monitoring.budget
  failures_queue_name  = aws_sqs_queue.failures.name
  function_names       = { for component in keys(local.functions) : component => local.function_names[component] }
  table_names          = local.table_names
  log_group_names      = { for component in ["bouncer", "operator"] : component => module.function[component].log_group_name }
  api_id               = module.http_api.id
  watches_firewall     = var.security.firewall
  watches_distribution = local.has_distribution
  watches_codes        = local.has_codes
  distribution_id      = local.has_distribution ? module.edge[0].id : null
}
