-- One row for each change: a copy of a row is the same row.
WITH once AS (
  SELECT DISTINCT event_id, change, lane, shard, seq, epoch, joined_at_ms, happened_at_ms FROM changes WHERE zone_id = ? AND run = CAST(? AS bigint)
)
, places AS (
  -- Several counters make one line of epochs: numbers of one epoch came within a quarter of a second.
  SELECT
    lane,
    joined_at_ms,
    CASE WHEN epoch IS NULL THEN seq ELSE epoch END AS place_order,
    max(CASE WHEN change = 'admitted' THEN happened_at_ms END) AS admitted_at_ms
  FROM once
  WHERE seq IS NOT NULL
  GROUP BY lane, shard, seq, epoch, joined_at_ms
)
, in_order AS (
  SELECT
    lane,
    joined_at_ms,
    admitted_at_ms,
    max(joined_at_ms) OVER (
      PARTITION BY lane ORDER BY place_order RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS latest_join_ms,
    max(admitted_at_ms) OVER (
      PARTITION BY lane ORDER BY place_order RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS latest_admission_ms
  FROM places
)
SELECT
  lane,
  count(*) AS places,
  max(latest_join_ms - joined_at_ms) AS worst_inversion_ms,
  count(CASE WHEN admitted_at_ms < latest_admission_ms THEN 1 END) AS admitted_ahead
FROM in_order
GROUP BY lane
ORDER BY lane
