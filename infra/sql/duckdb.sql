-- Floodgate's runs in DuckDB: a view of all buckets, and macros over it. See docs/sql.md.
--
--   SET VARIABLE floodgate = '.floodgate';   -- the execution folder, or 's3://BUCKET'
--   .read infra/sql/duckdb.sql

CREATE OR REPLACE VIEW buckets AS
SELECT *
FROM read_parquet(coalesce(getvariable('floodgate'), '.floodgate') || '/projects/*/buckets/*/*/*.parquet');

-- A tag of a row, wherever it stands: in a column of its own or in the map.
CREATE OR REPLACE MACRO tag_of(which, tags, scenario, grp, name, method, status, error_code) AS
    CASE which
        WHEN 'scenario' THEN scenario
        WHEN 'group' THEN grp
        WHEN 'name' THEN name
        WHEN 'method' THEN method
        WHEN 'status' THEN status
        WHEN 'error_code' THEN error_code
        ELSE tags[which]
    END;

-- The rows of a metric whose tags are those of `wanted`, each with the value of the tag `by`; '' where it has none.
CREATE OR REPLACE MACRO rows_of(of_metric, wanted := MAP {}, by_tag := '') AS TABLE
SELECT
    *,
    coalesce(tag_of(by_tag, tags, scenario, grp, name, method, status, error_code), '') AS tag
FROM buckets
WHERE metric = of_metric
    AND len(list_filter(
        map_keys(wanted),
        lambda key: tag_of(key, tags, scenario, grp, name, method, status, error_code) IS DISTINCT FROM wanted[key]
    )) = 0;

-- Percentile p (0 to 100) of a trend by run, and by the values of a tag: as Floodgate has it, the upper bound of the bucket of sample
-- ⌈p/100 · n⌉, within the exact minimum and maximum.
CREATE OR REPLACE MACRO percentile(p, of_metric := 'http_req_duration', wanted := MAP {}, by_tag := '') AS TABLE
WITH samples AS (
    SELECT * FROM rows_of(of_metric, wanted := wanted, by_tag := by_tag)
),
whole AS (
    SELECT
        project, test, execution, tag,
        min(started_ms) AS started_ms, any_value(verdict) AS verdict,
        sum(count) AS count, min(min) AS low, max(max) AS high, sum(sum) AS total
    FROM samples
    GROUP BY project, test, execution, tag
),
running AS (
    SELECT execution, tag, upper_us, sum(sum(count)) OVER (PARTITION BY execution, tag ORDER BY upper_us) AS seen
    FROM samples
    GROUP BY execution, tag, upper_us
)
SELECT
    w.project, w.test, w.execution, w.started_ms, w.verdict, w.tag, w.count::BIGINT AS count,
    w.total / w.count / 1000 AS avg_ms,
    CASE
        WHEN p <= 0 THEN w.low
        ELSE least(min(r.upper_us)::DOUBLE, w.high)
    END / 1000 AS ms
FROM whole AS w
JOIN running AS r
    ON r.execution = w.execution
    AND r.tag = w.tag
    AND r.seen >= greatest(1, ceil(p::DOUBLE / 100 * w.count::DOUBLE))
GROUP BY w.project, w.test, w.execution, w.started_ms, w.verdict, w.tag, w.count, w.total, w.low, w.high
ORDER BY w.execution, w.tag;

-- Share of a rate's samples that are not zero, such as that of failed requests.
CREATE OR REPLACE MACRO error_rate(of_metric := 'http_req_failed', wanted := MAP {}, by_tag := '') AS TABLE
SELECT
    project, test, execution, min(started_ms) AS started_ms, any_value(verdict) AS verdict, tag,
    sum(count)::BIGINT AS count, sum(sum)::BIGINT AS failed, sum(sum) / sum(count) AS rate
FROM rows_of(of_metric, wanted := wanted, by_tag := by_tag)
GROUP BY project, test, execution, tag
ORDER BY execution, tag;

-- What was added to a counter, and how much of it a second of the run.
CREATE OR REPLACE MACRO throughput(of_metric := 'http_reqs', wanted := MAP {}, by_tag := '') AS TABLE
SELECT
    project, test, execution, min(started_ms) AS started_ms, any_value(verdict) AS verdict, tag,
    sum(sum) AS total, max(duration_s) AS duration_s,
    CASE WHEN max(duration_s) > 0 THEN sum(sum) / max(duration_s) END AS per_s
FROM rows_of(of_metric, wanted := wanted, by_tag := by_tag)
GROUP BY project, test, execution, tag
ORDER BY execution, tag;

-- Two runs side by side: a percentile by the values of a tag, and its relative change. It says nothing about how much runs differ
-- anyway; `floodgate compare` does.
CREATE OR REPLACE MACRO compare_runs(base, head, p := 95, of_metric := 'http_req_duration', wanted := MAP {}, by_tag := 'name') AS TABLE
WITH both_runs AS (
    SELECT * FROM percentile(p, of_metric := of_metric, wanted := wanted, by_tag := by_tag)
    WHERE execution IN (base, head)
)
SELECT
    coalesce(b.tag, h.tag) AS tag,
    b.count AS base_count, h.count AS head_count,
    b.ms AS base_ms, h.ms AS head_ms,
    CASE WHEN b.ms > 0 THEN h.ms / b.ms - 1 END AS change
FROM (SELECT * FROM both_runs WHERE execution = base) AS b
FULL JOIN (SELECT * FROM both_runs WHERE execution = head) AS h ON h.tag = b.tag
ORDER BY tag;
