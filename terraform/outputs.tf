output "api_endpoint" {
  description = "Address of the API for operators with AWS credentials: FOYER_API_URL of the command line `wr`. It ends in a stage that nobody can guess: tell it to operators only."
  value       = module.http_api.endpoint
}

output "site_url" {
  description = "Address that visitors use; null where existing_distribution does not say it."
  value       = local.site_url
}

output "distribution" {
  description = "The distribution made here: id, arn and domain_name, at which a name of yours must point (CNAME or alias) unless its Route 53 zone was given; null with existing_distribution."
  value = local.has_distribution ? {
    id          = module.edge[0].id
    arn         = module.edge[0].arn
    domain_name = module.edge[0].domain_name
  } : null
}

output "attachment" {
  description = "What a distribution of yours needs: origins by origin_id (the API takes no request without the origin_path of its origin), behaviours in order of precedence (the last one, *, is the site's), gatekeeper_arn, the viewer-request function of behaviours with a gate, and error_caching_min_ttl, the seconds of a custom error response for each status (without them CloudFront gives one visitor's error to everybody for ten seconds). Send the output origin_secret in the header named by an origin's secret_header."
  value = {
    origins               = module.behaviours.origins
    behaviours            = module.behaviours.behaviours
    error_caching_min_ttl = module.behaviours.error_caching_min_ttl
    gatekeeper_arn        = module.gatekeeper.qualified_arn
  }
}

output "origin_secret" {
  description = "What the API wants to see in the secret header."
  value       = local.origin_secret
  sensitive   = true
}

output "web_acl_arn" {
  description = "ARN of the web ACL with security.firewall; null without."
  value       = one(module.security[*].web_acl_arn)
}

output "site_bucket" {
  description = "Name of the bucket behind /.waiting-room."
  value       = module.storage.bucket
}

output "table_names" {
  description = "Names of the tables by their name in schemas/tables/."
  value       = { for key, table in module.table : key => table.name }
}

output "function_names" {
  description = "Names of the functions by component."
  value       = merge({ for component, function in module.function : component => function.name }, { (local.edge.component) = module.gatekeeper.name })
}

output "log_group_names" {
  description = "Names of the functions' log groups by component. The gatekeeper logs in every Region it runs in, to /aws/lambda/us-east-1.<its name>."
  value       = { for component, function in module.function : component => function.log_group_name }
}

output "signing_keys_secret" {
  description = "Name of the secret (Secrets Manager) with the private signing keys. The operator function fills it at first use; Terraform never sees its value."
  value       = aws_secretsmanager_secret.signing_keys.name
}

output "operator_policy" {
  description = "IAM policy (JSON) for those who may operate: all routes under /v1/admin, and nothing else."
  value       = data.aws_iam_policy_document.operator.json
}

output "alarm_topic_arns" {
  description = "ARNs of the topics that alarms tell, by Region; empty without alarms."
  value       = module.monitoring.topic_arns
}

output "failures_queue_url" {
  description = "URL of the queue with events that functions failed at."
  value       = aws_sqs_queue.failures.url
}

output "archive" {
  description = "Bucket and Athena workgroup of the archive; null without one."
  value       = local.has_archive ? { bucket = module.archive[0].bucket, workgroup = module.archive[0].workgroup } : null
}

output "sizing" {
  description = "What expected_joins_per_sec comes to: shards that the zones should have together, reads and writes a second of the table queue, writes a second of the table joins, what tables are warmed for, concurrency of the bouncer and how much of it is kept warm before a start, requests a second of the API, and the alarms' thresholds."
  value = {
    joins_per_sec            = local.joins_per_sec
    shards                   = local.shards
    write_units_per_sec      = local.write_units_per_sec
    join_write_units_per_sec = local.join_write_units_per_sec
    read_units_per_sec       = local.read_units_per_sec
    warm_throughput          = local.warm_throughput
    bouncer_concurrency      = local.bouncer_concurrency
    warm_instances           = local.warm_instances
    reserved_concurrency     = local.reserved_in_total
    api_requests_per_sec     = local.api_requests_per_sec
    errors_per_min           = local.errors_per_min
    throttles_per_min        = local.throttles_per_min
  }
}
