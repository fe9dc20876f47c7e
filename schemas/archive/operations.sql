-- One row for each action: a copy of a row is the same row.
SELECT DISTINCT happened_at_ms, run, action, "by", details, reason, event_id
FROM changes
WHERE zone_id = ? AND change = 'operated'
ORDER BY happened_at_ms, event_id
