-- One row for each change: a copy of a row is the same row.
WITH once AS (
  SELECT DISTINCT event_id, lane, wait_ms, change FROM changes WHERE zone_id = ? AND run = CAST(? AS bigint)
)
SELECT
  lane,
  count(*) AS admitted,
  approx_percentile(wait_ms / 1000.0, 0.5) AS median_sec,
  approx_percentile(wait_ms / 1000.0, 0.95) AS p95_sec,
  max(wait_ms / 1000.0) AS longest_sec
FROM once
WHERE change = 'admitted'
GROUP BY lane
ORDER BY lane
