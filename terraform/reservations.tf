# What is kept of the account's concurrency for single functions.
locals {
  # AWS keeps 100 of an account's concurrency unreserved and refuses what would take of them: an account with a quota of 10
  # can reserve nothing. A smaller part of the bouncers' would be their ceiling too, so it is all of a kind or none. Where
  # the quota was not read, nothing is known against it:
  # https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html
  sized_concurrency = { bouncer = local.bouncer_concurrency }
  fixed_concurrency = { for component, spec in local.functions : component => spec.reserved_concurrency if spec.reserved_concurrency != null }
  fixed_in_total    = sum(concat([0], values(local.fixed_concurrency)))
  wanted_in_total   = local.fixed_in_total + sum(values(local.sized_concurrency))
  reservable        = try(max(0, local.allowed.lambda_concurrency - 100), local.wanted_in_total)
  reserved_concurrency = {
    for component in keys(local.functions) : component => (
      !var.functions.reserve_concurrency ? null :
      contains(keys(local.sized_concurrency), component) ? (local.wanted_in_total <= local.reservable ? local.sized_concurrency[component] : null) :
      local.fixed_in_total <= local.reservable ? try(local.fixed_concurrency[component], null) : null
    )
  }
  reserved_in_total = sum(concat([0], [for reserved in values(local.reserved_concurrency) : reserved if reserved != null]))
}
