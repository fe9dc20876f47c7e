data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {}

# Everything that has a name has it from schemas/, as the code and the local stack do.
locals {
  schemas = "${path.module}/../schemas"

  all_functions  = jsondecode(file("${local.schemas}/functions.json")).functions
  retention_days = jsondecode(file("${local.schemas}/functions.json")).retention_days
  functions      = { for component, spec in local.all_functions : component => spec if !spec.edge }
  edge           = one([for component, spec in local.all_functions : merge(spec, { component = component }) if spec.edge])
  behaviours     = jsondecode(file("${local.schemas}/behaviours.json"))
  openapi        = jsondecode(file("${local.schemas}/openapi.json"))
  websocket      = jsondecode(file("${local.schemas}/websocket.json"))
  tables = {
    for path in fileset("${local.schemas}/tables", "*.json") :
    trimsuffix(path, ".json") => jsondecode(file("${local.schemas}/tables/${path}"))
  }
}

locals {
  account_id = data.aws_caller_identity.current.account_id
  partition  = data.aws_partition.current.partition
  region     = data.aws_region.current.region

  function_names = { for component in keys(local.all_functions) : component => "${var.name}-${component}" }
  table_names    = { for key in keys(local.tables) : key => "${var.name}-${replace(key, "_", "-")}" }
  bucket_name    = "${var.name}-site-${local.account_id}"
  signing_keys   = "${var.name}/signing-keys"
  join_secrets   = "${var.name}/join-secrets"

  artifacts_dir = coalesce(var.artifacts_dir, "${path.module}/../build")

  # Components whose handlers may come later bring what they need with them.
  has_websocket = contains(keys(local.functions), local.websocket.function)
  has_recorder  = contains(keys(local.functions), "recorder")
  has_notifier  = contains(keys(local.functions), "notifier")

  has_archive      = local.has_recorder && var.archive.enabled
  has_alerts       = local.has_notifier && var.alerts != null
  has_codes        = var.phone_codes != null
  has_timestream   = local.has_recorder && var.metrics.backend == "timestream"
  has_distribution = var.existing_distribution == null
  site_url         = local.has_distribution ? module.edge[0].site_url : var.existing_distribution.site_url
}
