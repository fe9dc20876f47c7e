-- One row for each change: a copy of a row is the same row.
WITH once AS (
  SELECT DISTINCT event_id, change, status_before, happened_at_ms FROM changes WHERE zone_id = ? AND run = CAST(? AS bigint)
)
SELECT
  (happened_at_ms - happened_at_ms % 60000) AS minute_at_ms,
  count(CASE WHEN change IN ('joined', 'rejoined') THEN 1 END) AS joined,
  count(CASE WHEN change = 'admitted' THEN 1 END) AS admitted,
  count(CASE WHEN change = 'completed' THEN 1 END) AS completed,
  count(CASE WHEN change = 'left' AND status_before = 'admitted' THEN 1 END) AS left_zone,
  count(CASE WHEN change = 'left' AND status_before = 'waiting' THEN 1 END) AS gave_up
FROM once
WHERE change <> 'operated'
GROUP BY 1
ORDER BY 1
