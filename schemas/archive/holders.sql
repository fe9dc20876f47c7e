-- One row for each change: a copy of a row is the same row.
WITH once AS (
  SELECT DISTINCT event_id, change, visitor_id, account, network, device FROM changes WHERE zone_id = ? AND run = CAST(? AS bigint)
),
told AS (
  SELECT 'account' AS holder, account AS tag, change FROM once
  UNION ALL
  SELECT 'network' AS holder, network AS tag, change FROM once
  UNION ALL
  SELECT 'device' AS holder, coalesce(device, visitor_id) AS tag, change FROM once
),
held AS (
  SELECT
    holder,
    tag,
    count(CASE WHEN change IN ('joined', 'rejoined') THEN 1 END) AS places,
    count(CASE WHEN change = 'admitted' THEN 1 END) AS sessions,
    count(CASE WHEN change = 'completed' THEN 1 END) AS purchases
  FROM told
  WHERE tag IS NOT NULL AND change IN ('joined', 'rejoined', 'admitted', 'completed')
  GROUP BY holder, tag
),
numbers AS (
  SELECT holder, 'places' AS what, places AS held FROM held
  UNION ALL
  SELECT holder, 'sessions' AS what, sessions AS held FROM held
  UNION ALL
  SELECT holder, 'purchases' AS what, purchases AS held FROM held
)
SELECT holder, what, held, count(*) AS holders
FROM numbers
WHERE held > 0
GROUP BY holder, what, held
ORDER BY holder, what, held
