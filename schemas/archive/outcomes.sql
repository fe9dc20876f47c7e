-- One row for each change: a copy of a row is the same row.
WITH once AS (
  SELECT DISTINCT event_id, change, lane, status, visitor_id, sequence FROM changes WHERE zone_id = ? AND run = CAST(? AS bigint)
)
SELECT lane, last_status, count(*) AS visitors
FROM (
  SELECT visitor_id, max_by(lane, sequence) AS lane, max_by(status, sequence) AS last_status
  FROM once
  WHERE change <> 'operated'
  GROUP BY visitor_id
) AS visits
GROUP BY lane, last_status
ORDER BY lane, last_status
