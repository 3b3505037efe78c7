-- Requests a second by run and name. Parameters: project, test, first day.
SELECT
    execution, min(started_ms) AS started_ms, coalesce(name, '') AS name,
    CAST(sum(sum) AS bigint) AS requests, max(duration_s) AS duration_s,
    CASE WHEN max(duration_s) > 0 THEN sum(sum) / max(duration_s) END AS per_s
FROM buckets
WHERE project = ? AND test = ? AND day >= ? AND metric = 'http_reqs'
GROUP BY execution, coalesce(name, '')
ORDER BY execution, name
