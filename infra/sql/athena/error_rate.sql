-- Failed requests by run and name. Parameters: project, test, first day.
SELECT
    execution, min(started_ms) AS started_ms, coalesce(name, '') AS name,
    CAST(sum(count) AS bigint) AS requests, CAST(sum(sum) AS bigint) AS failed, sum(sum) / sum(count) AS rate
FROM buckets
WHERE project = ? AND test = ? AND day >= ? AND metric = 'http_req_failed'
GROUP BY execution, coalesce(name, '')
ORDER BY execution, name
