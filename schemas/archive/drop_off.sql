-- One row for each change: a copy of a row is the same row.
WITH once AS (
  SELECT DISTINCT event_id, change, status_before, visitor_id, seq, lane, sequence, wait_ms FROM changes WHERE zone_id = ? AND run = CAST(? AS bigint)
)
, last_sight AS (
  -- Gone for good: left the line, or hid the page and was neither seen again nor admitted.
  SELECT
    visitor_id,
    max_by(change, sequence) AS change,
    max_by(status_before, sequence) AS status_before,
    max_by(wait_ms, sequence) AS wait_ms
  FROM once
  WHERE change NOT IN ('operated', 'moved', 'changed')
  GROUP BY visitor_id
)
SELECT
  CAST((wait_ms - wait_ms % 60000) / 60000 AS bigint) AS minutes_waited,
  count(*) AS visitors
FROM last_sight
WHERE (change = 'left' AND status_before = 'waiting') OR change = 'away'
GROUP BY 1
ORDER BY 1
