# Everything that depends on how many come. Figures and their reasons are in one place, and the output `sizing` shows them.
locals {
  joins_per_sec = var.expected_joins_per_sec

  # A visitor who comes asks the API three times: enter, enter with the cookie, join.
  requests_per_sec = 3 * local.joins_per_sec

  # A partition takes 1,000 writes a second, and keys of join counters are hashed onto them: many counters, and partitions
  # to spare, so that hardly any is overloaded. How many: layer/python/waiting_room/domain/zone/sizing.py.
  shards                   = local.joins_per_sec <= 500 ? 1 : ceil(local.joins_per_sec / 100)
  join_write_units_per_sec = 3 * local.joins_per_sec

  # A place is one write. Beside it a zone has up to 500 claims a second, which write two more. A quarter is headroom.
  # Reads: the bouncer looks up the place with every request; it keeps zones and gate items.
  claims_per_sec      = min(500, local.joins_per_sec)
  write_units_per_sec = ceil(1.25 * (local.joins_per_sec + 2 * local.claims_per_sec))
  read_units_per_sec  = ceil(1.25 * local.requests_per_sec)

  # What AWS gives every new table.
  table_write_units_per_sec = 4000
  table_read_units_per_sec  = 12000
  warm_throughput = {
    for table, write_units in { joins = local.join_write_units_per_sec, queue = local.write_units_per_sec } : table => {
      write_units_per_sec             = max(write_units, local.table_write_units_per_sec)
      read_units_per_sec              = max(local.read_units_per_sec, local.table_read_units_per_sec)
    } if write_units > local.table_write_units_per_sec || local.read_units_per_sec > local.table_read_units_per_sec
  }

  # A request takes a bouncer about 50 ms. Twice that is planned, as Lambda gives an instance ten requests a second at
  # most, and as it makes up for the second in which cold instances start; and some for those who claim and renew.
  bouncer_concurrency = ceil(local.requests_per_sec * 0.1) + 20

  # Of these so many are kept warm before a start; the rest stays free for those who come meanwhile.
  warm_instances = floor(0.8 * local.bouncer_concurrency)

  # Each visitor meets the gate on arrival and when let in, half as much again is planned, and an instance at the edge
  # has ten requests a second. They count where they run: in the deployment's Region too, where visitors are near it.
  edge_concurrency = ceil(ceil(1.5 * (local.joins_per_sec + local.claims_per_sec)) / 10)

  # Half as much again as expected, before the API says 429.
  api_requests_per_sec = ceil(1.5 * local.requests_per_sec) + 100

  # One in a thousand, and never so few that a single fault wakes somebody.
  errors_per_min    = max(1, floor(local.requests_per_sec * 60 / 1000))
  throttles_per_min = max(1, floor(local.joins_per_sec * 60 / 1000))
}
