-- One row for each change: a copy of a row is the same row.
WITH once AS (
  SELECT DISTINCT event_id, change, lane, joined_at_ms, wait_ms FROM changes WHERE zone_id = ? AND run = CAST(? AS bigint)
)
SELECT
  (joined_at_ms - joined_at_ms % 60000) AS minute_at_ms,
  lane,
  count(*) AS admitted,
  approx_percentile(wait_ms / 1000.0, 0.5) AS median_sec,
  max(wait_ms / 1000.0) AS longest_sec
FROM once
WHERE change = 'admitted'
GROUP BY 1, 2
ORDER BY 1, 2
