-- Two runs of a test by name: p50, p95 and p99 of a trend. Parameters: base, head, project, test, first day, metric.
WITH asked AS (
    SELECT ? AS base, ? AS head
),
samples AS (
    SELECT execution, coalesce(name, '') AS name, upper_us, count, max
    FROM buckets
    WHERE project = ? AND test = ? AND day >= ? AND metric = ?
),
whole AS (
    SELECT execution, name, CAST(sum(count) AS double) AS n, max(max) AS high
    FROM samples
    GROUP BY execution, name
),
running AS (
    SELECT execution, name, upper_us, sum(sum(count)) OVER (PARTITION BY execution, name ORDER BY upper_us) AS seen
    FROM samples
    GROUP BY execution, name, upper_us
),
percentiles AS (
    SELECT
        w.execution, w.name, w.n,
        least(CAST(min(CASE WHEN r.seen >= ceil(0.5e0 * w.n) THEN r.upper_us END) AS double), w.high) / 1000 AS p50,
        least(CAST(min(CASE WHEN r.seen >= ceil(0.95e0 * w.n) THEN r.upper_us END) AS double), w.high) / 1000 AS p95,
        least(CAST(min(CASE WHEN r.seen >= ceil(0.99e0 * w.n) THEN r.upper_us END) AS double), w.high) / 1000 AS p99
    FROM whole AS w
    JOIN running AS r ON r.execution = w.execution AND r.name = w.name
    GROUP BY w.execution, w.name, w.n, w.high
)
SELECT
    b.name, CAST(b.n AS bigint) AS base_requests, CAST(h.n AS bigint) AS head_requests,
    b.p50 AS base_p50_ms, h.p50 AS head_p50_ms,
    b.p95 AS base_p95_ms, h.p95 AS head_p95_ms,
    b.p99 AS base_p99_ms, h.p99 AS head_p99_ms
FROM asked AS a
JOIN percentiles AS b ON b.execution = a.base
JOIN percentiles AS h ON h.execution = a.head AND h.name = b.name
ORDER BY b.name
