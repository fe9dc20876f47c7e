locals {
  # Every variable that a function may ask for in schemas/functions.json. `none` stands for a part that is switched off.
  environment = merge(module.metrics.environment, {
    PROTECTED_ZONES_TABLE    = module.table["protected_zones"].name
    COUNTERS_TABLE           = module.table["counters"].name
    JOINS_TABLE              = module.table["joins"].name
    QUEUE_TABLE              = module.table["queue"].name
    USER_CONNECTIONS_TABLE   = module.table["user_connections"].name
    SITE_BUCKET              = module.storage.bucket
    SIGNING_KEYS_SECRET      = local.signing_keys
    SIGNING_KEYS_PARAMETER   = "/${local.signing_keys}"
    JOIN_SECRETS_PATH        = local.join_secrets
    TOKEN_ISSUER             = var.name
    ORIGIN_SECRET            = local.origin_secret
    MACHINE_LABELS           = var.security.firewall && var.security.bots != null ? "told" : "none"
    CORS_ORIGINS             = length(var.cors_origins) == 0 ? "none" : join(",", var.cors_origins)
    RETENTION_DAYS           = jsonencode({ for name, rule in local.retention_days : name => coalesce(var.retention_days[name], rule.default) })
    SNAPSHOT_KEY             = local.snapshot_key
    EXCHANGER_FUNCTION       = local.function_names["exchanger"]
    PUBLISHER_FUNCTION       = local.function_names["publisher"]
    BOUNCER_FUNCTION         = local.function_names["bouncer"]
    DISPATCHER_FUNCTION      = local.function_names["dispatcher"]
    WARM_INSTANCES           = tostring(local.warm_instances)
    WEBSOCKET_ENDPOINT       = local.has_websocket ? module.websocket_api[0].management_endpoint : "none"
    FAILURES_QUEUE           = aws_sqs_queue.failures.url
    ARCHIVE_STREAM           = local.has_archive ? module.archive[0].stream_name : "none"
    ALERTS_IDENTITY          = local.has_alerts ? var.alerts.origination_identity_arn : "none"
    ALERTS_CONFIGURATION_SET = local.has_alerts ? module.alerts[0].configuration_set : "none"
    ALERTS_KEY               = local.has_alerts ? module.alerts[0].key_arn : "none"
    CODES_IDENTITY           = local.has_codes ? var.phone_codes.origination_identity : "none"
    CODES_CONFIGURATION      = local.has_codes ? var.phone_codes.notify_code_configuration : "none"
    CODES_CONFIGURATION_SET  = local.has_codes ? coalesce(var.phone_codes.configuration_set, "none") : "none"
  })

  # What rights are written on, by how schemas/functions.json says it. Made of names, so that a plan shows them.
  lambda_arn = "arn:${local.partition}:lambda:${local.region}:${local.account_id}:function"
  table_arn  = "arn:${local.partition}:dynamodb:${local.region}:${local.account_id}:table"
  secret_arn = "arn:${local.partition}:secretsmanager:${local.region}:${local.account_id}:secret"
  bucket_arn = "arn:${local.partition}:s3:::${local.bucket_name}"
  resource_arns = merge(
    { for key, name in local.table_names : "table:${key}" => ["${local.table_arn}/${name}"] },
    # A stream is called after the moment AWS made it, and a role that reads it must be there before.
    { for key, name in local.table_names : "stream:${key}" => ["${local.table_arn}/${name}/stream/*"] },
    { for component, name in local.function_names : "function:${component}" => ["${local.lambda_arn}:${name}"] },
    {
      # Secrets Manager adds six characters to a secret's name.
      "secret:signing_keys" = ["${local.secret_arn}:${local.signing_keys}-??????"]
      # Where releases before Secrets Manager kept them: the operator function carries them over.
      "parameter:signing_keys" = ["arn:${local.partition}:ssm:${local.region}:${local.account_id}:parameter/${local.signing_keys}"]
      # Secrets that operators put there themselves: in the state they would be readable.
      "secret:join_secrets" = ["${local.secret_arn}:${local.join_secrets}/*"]
      "bucket"              = [local.bucket_arn]
      # AWS knows no narrower resource for dynamodb:ListStreams, and Lambda asks for it where it reads a stream.
      "streams" = ["*"]
      # A zone may name any alarm of the site; which, nobody knows before it does.
      "alarms"                = ["arn:${local.partition}:cloudwatch:${local.region}:${local.account_id}:alarm:*"]
      "websocket:connections" = local.has_websocket ? [module.websocket_api[0].connections_arn] : []
      "archive:stream"        = local.has_archive ? ["arn:${local.partition}:firehose:${local.region}:${local.account_id}:deliverystream/${module.archive[0].stream_name}"] : []
      "failures:queue"        = [local.failures_queue_arn]
      "alerts:identity"       = local.has_alerts ? [var.alerts.origination_identity_arn] : []
      "alerts:key"            = local.has_alerts ? [module.alerts[0].key_arn] : []
      # A check of a code names no resource; on which one a send is looked at was never seen.
      "codes:service" = local.has_codes ? ["*"] : []
      "metrics:table" = local.has_timestream ? [module.metrics.table_arn] : []
      # AWS knows no narrower resource for timestream:DescribeEndpoints.
      "metrics:endpoints" = local.has_timestream ? ["*"] : []
    },
  )

  permissions = {
    for component, spec in local.all_functions : component => [
      for permission in spec.permissions : {
        name    = replace(title(replace(permission.resource, "/[^a-zA-Z]+/", " ")), " ", "")
        actions = permission.actions
        resources = (
          startswith(permission.resource, "bucket:")
          ? ["${local.bucket_arn}/${trimprefix(permission.resource, "bucket:")}"]
          : local.resource_arns[permission.resource]
        )
      } if contains(local.given_resources, permission.resource) || startswith(permission.resource, "bucket:")
    ]
  }

  # Rights on parts that are switched off are left out. Known before anything is made, unlike the ARNs.
  given_resources = concat(
    ["bucket", "alarms", "streams", "secret:signing_keys", "secret:join_secrets", "parameter:signing_keys", "failures:queue"],
    [for key in keys(local.table_names) : "table:${key}"],
    [for key in keys(local.table_names) : "stream:${key}"],
    [for component in keys(local.function_names) : "function:${component}"],
    local.has_websocket ? ["websocket:connections"] : [],
    local.has_archive ? ["archive:stream"] : [],
    local.has_alerts ? ["alerts:identity", "alerts:key"] : [],
    local.has_codes ? ["codes:service"] : [],
    local.has_timestream ? ["metrics:table", "metrics:endpoints"] : [],
  )

  alarm_actions = var.monitoring.alarms ? [module.monitoring.topic_arn] : []
}

resource "aws_lambda_layer_version" "this" {
  layer_name               = "${var.name}-layer"
  description              = "The package waiting_room and what it needs."
  filename                 = "${local.artifacts_dir}/layer-arm64.zip"
  source_code_hash         = fileexists("${local.artifacts_dir}/layer-arm64.zip") ? filebase64sha256("${local.artifacts_dir}/layer-arm64.zip") : null
  compatible_architectures = ["arm64"]
  compatible_runtimes      = distinct([for spec in values(local.functions) : spec.runtime])

  lifecycle {
    create_before_destroy = true

    precondition {
      condition     = fileexists("${local.artifacts_dir}/layer-arm64.zip")
      error_message = "There is no ${local.artifacts_dir}/layer-arm64.zip. Run `make build`, or download the zips of a release and set artifacts_dir to their directory."
    }
  }
}

# Events that asynchronous functions failed at, for people to look into. An event names zones and nobody.
resource "aws_sqs_queue" "failures" {
  name                      = "${var.name}-failures"
  message_retention_seconds = 14 * 24 * 3600
  sqs_managed_sse_enabled   = true
}

# Made of its name, so that a plan shows the rights on it.
locals {
  failures_queue_arn = "arn:${local.partition}:sqs:${local.region}:${local.account_id}:${aws_sqs_queue.failures.name}"
}

module "function" {
  source   = "./modules/function"
  for_each = local.functions

  name               = local.function_names[each.key]
  spec               = merge(each.value, { memory_mb = lookup(var.functions.memory_mb, each.key, each.value.memory_mb), reserved_concurrency = local.reserved_concurrency[each.key] })
  artifact           = "${local.artifacts_dir}/${each.key}.zip"
  layers             = concat([aws_lambda_layer_version.this.arn], var.functions.layer_arns)
  environment        = { for variable in each.value.environment : variable => local.environment[variable] }
  permissions        = local.permissions[each.key]
  failures_queue_arn = local.failures_queue_arn
  log_retention_days = var.functions.log_retention_days
  tracing            = var.functions.tracing
  table_key_arn      = var.tables.kms_key_arn

  stream = try(each.value.triggers.stream, null) == null ? null : {
    arn    = module.table[each.value.triggers.stream.table].stream_arn
    filter = each.value.triggers.stream.filter == null ? null : jsonencode(each.value.triggers.stream.filter)
  }

  alarms = var.monitoring.alarms ? {
    actions           = local.alarm_actions
    errors_per_min    = local.errors_per_min
    throttles_per_min = local.throttles_per_min
  } : null
}

# Called after the deployment and its snapshot: see layer/python/waiting_room/edge/settings.py.
module "gatekeeper" {
  source = "./modules/function"

  name         = "${local.function_names[local.edge.component]}-${terraform_data.snapshot_id.output}"
  spec         = merge(local.edge, { handler = var.gate.on_missing_snapshot == "pass" ? local.edge.open_handler : local.edge.handler })
  artifact     = "${local.artifacts_dir}/${local.edge.component}.zip"
  permissions  = local.permissions[local.edge.component]
  skip_destroy = var.gate.skip_destroy
}
