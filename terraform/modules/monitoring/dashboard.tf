locals {
  components = sort(keys(var.function_names))
  tables     = sort(keys(var.table_names))

  # Namespaces of parts that are an option and switched off.
  unwatched = concat(var.watches_distribution ? [] : ["AWS/CloudFront"], var.watches_firewall ? [] : ["AWS/WAFV2"])

  # What an operator asks during a sale, top to bottom: do people get through, does anything fail, is anything full.
  graphs = [
    {
      title  = "Requests to the token service"
      region = local.home
      stat   = "Sum"
      metrics = [
        ["AWS/ApiGateway", "Count", "ApiId", var.api_id],
        ["AWS/ApiGateway", "4xx", "ApiId", var.api_id],
        ["AWS/ApiGateway", "5xx", "ApiId", var.api_id],
      ]
    },
    {
      title   = "Door shut (1: claims do not get through, in one zone at least)"
      region  = local.home
      stat    = "Maximum"
      metrics = [[var.name, "door_shut", "lane", "all"]]
    },
    {
      title   = "Phantom leases (held for nobody until they run out: fewer are let in)"
      region  = local.home
      stat    = "Sum"
      metrics = [[{ expression = "SEARCH('{${var.name},zone_id} MetricName=\"phantoms\"', 'Sum', 60)" }]]
    },
    {
      title   = "How long they take (ms, 99 of 100)"
      region  = local.home
      stat    = "p99"
      metrics = [["AWS/ApiGateway", "Latency", "ApiId", var.api_id]]
    },
    {
      title  = "Machines that join or claim, by class (security.bots), and addresses challenged or refused"
      region = "us-east-1"
      stat   = "Sum"
      metrics = concat(
        [for class in ["verified", "crawler", "automated", "data_center"] : ["AWS/WAFV2", "CountedRequests", "WebACL", var.name, "Rule", "${var.name}-bot-${class}"]],
        [
          ["AWS/WAFV2", "ChallengeRequests", "WebACL", var.name, "Rule", "${var.name}-crowd"],
          ["AWS/WAFV2", "BlockedRequests", "WebACL", var.name, "Rule", "${var.name}-flood"],
        ],
      )
    },
    {
      title   = "Invocations"
      region  = local.home
      stat    = "Sum"
      metrics = [for each in local.components : ["AWS/Lambda", "Invocations", "FunctionName", var.function_names[each]]]
    },
    {
      title   = "Errors"
      region  = local.home
      stat    = "Sum"
      metrics = [for each in local.components : ["AWS/Lambda", "Errors", "FunctionName", var.function_names[each]]]
    },
    {
      title  = "Running at once, and not started"
      region = local.home
      stat   = "Maximum"
      metrics = concat(
        [for each in local.components : ["AWS/Lambda", "ConcurrentExecutions", "FunctionName", var.function_names[each]]],
        [for each in local.components : ["AWS/Lambda", "Throttles", "FunctionName", var.function_names[each]]],
      )
    },
    {
      title   = "Write units"
      region  = local.home
      stat    = "Sum"
      metrics = [for each in local.tables : ["AWS/DynamoDB", "ConsumedWriteCapacityUnits", "TableName", var.table_names[each]]]
    },
    {
      title   = "Refused writes"
      region  = local.home
      stat    = "Sum"
      metrics = [for each in local.tables : ["AWS/DynamoDB", "WriteThrottleEvents", "TableName", var.table_names[each]]]
    },
    {
      title   = "Answers of the distribution (% 5xx)"
      region  = "us-east-1"
      stat    = "Average"
      metrics = [["AWS/CloudFront", "5xxErrorRate", "DistributionId", var.distribution_id, "Region", "Global"]]
    },
  ]
}

resource "aws_cloudwatch_dashboard" "this" {
  count = var.dashboard ? 1 : 0

  dashboard_name = var.name
  dashboard_body = jsonencode({
    widgets = [
      for index, graph in local.graphs : {
        type   = "metric"
        x      = index % 2 * 12
        y      = floor(index / 2) * 6
        width  = 12
        height = 6
        properties = {
          title   = graph.title
          region  = graph.region
          stat    = graph.stat
          period  = 60
          view    = "timeSeries"
          metrics = graph.metrics
        }
      } if !try(contains(local.unwatched, graph.metrics[0][0]), false)
    ]
  })
}
