-- Percentile of a trend by run. Parameters: percentile, project, test, first day, metric, name ('' for all together).
WITH asked AS (
    SELECT CAST(? AS double) / 100 AS q
),
samples AS (
    SELECT execution, started_ms, upper_us, count, sum, min, max
    FROM buckets
    WHERE project = ? AND test = ? AND day >= ? AND metric = ? AND ? IN ('', coalesce(name, ''))
),
whole AS (
    SELECT
        execution, min(started_ms) AS started_ms,
        CAST(sum(count) AS bigint) AS n, min(min) AS low, max(max) AS high, sum(sum) AS total
    FROM samples
    GROUP BY execution
),
running AS (
    SELECT execution, upper_us, sum(sum(count)) OVER (PARTITION BY execution ORDER BY upper_us) AS seen
    FROM samples
    GROUP BY execution, upper_us
)
SELECT
    w.execution, w.started_ms, w.n AS requests, w.total / w.n / 1000 AS avg_ms,
    CASE WHEN a.q <= 0 THEN w.low ELSE least(CAST(min(r.upper_us) AS double), w.high) END / 1000 AS ms
FROM asked AS a
CROSS JOIN whole AS w
JOIN running AS r ON r.execution = w.execution AND r.seen >= greatest(1e0, ceil(a.q * CAST(w.n AS double)))
GROUP BY w.execution, w.started_ms, w.n, w.total, w.low, w.high, a.q
ORDER BY w.execution
