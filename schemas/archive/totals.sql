-- One row for each change: a copy of a row is the same row.
WITH once AS (
  SELECT DISTINCT event_id, change, status_before, visitor_id, purchases FROM changes WHERE zone_id = ? AND run = CAST(? AS bigint)
)
SELECT
  count(DISTINCT CASE WHEN change IN ('joined', 'rejoined') THEN visitor_id END) AS visitors,
  count(CASE WHEN change IN ('joined', 'rejoined') THEN 1 END) AS places,
  count(CASE WHEN change = 'admitted' THEN 1 END) AS admitted,
  count(CASE WHEN change = 'completed' THEN 1 END) AS completed,
  count(CASE WHEN change = 'left' AND status_before = 'admitted' THEN 1 END) AS left_zone,
  count(CASE WHEN change = 'left' AND status_before = 'waiting' THEN 1 END) AS gave_up,
  count(CASE WHEN change = 'revoked' THEN 1 END) AS revoked,
  count(CASE WHEN change = 'renewed' THEN 1 END) AS renewals
FROM once
