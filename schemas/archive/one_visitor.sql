-- One row for each change: a copy of a row is the same row.
SELECT DISTINCT
  sequence, happened_at_ms, change, status_before, status, lane, seq, wait_ms, rejoined, purchases, event_id
FROM changes
WHERE zone_id = ? AND run = CAST(? AS bigint) AND visitor_id = ?
ORDER BY sequence
