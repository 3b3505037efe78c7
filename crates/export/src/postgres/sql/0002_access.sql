-- Who sees what: a role sees the projects to which it, or a role that it is a member of, was admitted. The owner of the schema sees all.

CREATE TABLE floodgate.members (
    role name NOT NULL,
    project integer NOT NULL REFERENCES floodgate.projects (id) ON DELETE CASCADE,
    PRIMARY KEY (role, project)
);

-- Read with the rights of its owner, so that nobody else needs any on members.
CREATE VIEW floodgate.my_projects WITH (security_barrier = true) AS
SELECT p.id, p.name
FROM floodgate.projects AS p
WHERE pg_has_role(current_user, (SELECT nspowner FROM pg_namespace WHERE nspname = 'floodgate'), 'member')
    OR p.id IN (
        SELECT m.project
        FROM floodgate.members AS m
        JOIN pg_roles AS r ON r.rolname = m.role
        WHERE pg_has_role(current_user, r.oid, 'member')
    );

ALTER TABLE floodgate.projects ENABLE ROW LEVEL SECURITY;
CREATE POLICY seen ON floodgate.projects FOR SELECT USING (id IN (SELECT id FROM floodgate.my_projects));

DO $$
DECLARE
    one text;
BEGIN
    FOREACH one IN ARRAY ARRAY['tests', 'executions', 'thresholds', 'series', 'windows', 'totals', 'quantiles'] LOOP
        EXECUTE format('ALTER TABLE floodgate.%I ENABLE ROW LEVEL SECURITY', one);
        EXECUTE format(
            'CREATE POLICY seen ON floodgate.%I FOR SELECT USING (project IN (SELECT id FROM floodgate.my_projects))', one
        );
    END LOOP;
END $$;

-- Runs with the names of project and test; nth is 1 for the latest of a test.
CREATE VIEW floodgate.runs WITH (security_invoker = true) AS
SELECT
    p.name AS project, t.name AS test, e.id AS execution, e.run, e.testid, e.status, e.reasons, e.engine, e.target, e.version,
    e.created_at, e.started_at, e.ended_at, e.duration_s, e.tasks, e.trigger, e.principal, e.commit_sha, e.branch, e.build_url,
    e.requests, e.iterations, e.dropped_iterations, e.complete, e.summary,
    row_number() OVER (PARTITION BY e.test ORDER BY coalesce(e.started_at, e.created_at) DESC, e.id DESC) AS nth
FROM floodgate.executions AS e
JOIN floodgate.tests AS t ON t.id = e.test
JOIN floodgate.projects AS p ON p.id = e.project;

-- Quantiles of runs, such as p95 of a request over the last 10 runs:
--   SELECT started_at, p95 FROM floodgate.run_quantiles
--   WHERE test = 'checkout' AND metric = 'http_req_duration' AND name = 'POST /api/checkout' AND nth <= 10 ORDER BY nth
CREATE VIEW floodgate.run_quantiles WITH (security_invoker = true) AS
SELECT
    r.project, r.test, r.execution, r.testid, r.nth, r.status, r.started_at, r.commit_sha, r.branch,
    q.metric, q.name, q.count, q.avg, q.min, q.max, q.p50, q.p90, q.p95, q.p99, q.p999
FROM floodgate.quantiles AS q
JOIN floodgate.runs AS r USING (run);

-- Windows with their series and run. It reads with its owner's rights and says itself what is seen: where windows are compressed,
-- the table can have no policy.
CREATE VIEW floodgate.series_windows WITH (security_barrier = true) AS
SELECT
    p.name AS project, t.name AS test, e.id AS execution, e.testid, w.at, w.window_s,
    s.metric, s.kind, s.scenario, s.grp, s.name, s.method, s.status, s.error_code, s.tags,
    w.count, w.sum, w.min, w.max, w.p50, w.p90, w.p95, w.p99, w.p999, w.upper_us, w.counts
FROM floodgate.windows AS w
JOIN floodgate.series AS s ON s.id = w.series
JOIN floodgate.executions AS e ON e.run = w.run
JOIN floodgate.tests AS t ON t.id = e.test
JOIN floodgate.projects AS p ON p.id = e.project
WHERE w.project IN (SELECT id FROM floodgate.my_projects);

-- Percentile p (0 to 100) of a trend by run, and by the values of a tag; exact as in the summary: the upper bound of the bucket of sample
-- ⌈p/100 · n⌉, within the exact minimum and maximum. of_test and latest narrow the runs.
CREATE FUNCTION floodgate.percentile(
    p double precision,
    of_metric text DEFAULT 'http_req_duration',
    wanted jsonb DEFAULT '{}',
    by_tag text DEFAULT '',
    of_test text DEFAULT NULL,
    latest integer DEFAULT NULL
) RETURNS TABLE (
    project text, test text, execution text, started_at timestamptz, verdict text, tag text,
    count bigint, avg double precision, value double precision
) LANGUAGE sql STABLE AS $$
    WITH chosen AS (
        SELECT * FROM floodgate.runs AS r
        WHERE (of_test IS NULL OR r.test = of_test) AND (latest IS NULL OR r.nth <= latest)
    ),
    samples AS (
        SELECT t.*, coalesce(s.tags ->> by_tag, '') AS tag
        FROM floodgate.totals AS t
        JOIN chosen AS c ON c.run = t.run
        JOIN floodgate.series AS s ON s.id = t.series
        WHERE s.metric = of_metric AND s.kind = 'trend' AND s.tags @> wanted
    ),
    whole AS (
        SELECT s.run, s.tag, sum(s.count) AS n, min(s.min) AS low, max(s.max) AS high, sum(s.sum) AS total
        FROM samples AS s
        GROUP BY s.run, s.tag
    ),
    running AS (
        SELECT s.run, s.tag, b.upper, sum(sum(b.n)) OVER (PARTITION BY s.run, s.tag ORDER BY b.upper) AS seen
        FROM samples AS s, unnest(s.upper_us, s.counts) AS b (upper, n)
        GROUP BY s.run, s.tag, b.upper
    )
    SELECT
        r.project, r.test, r.execution, r.started_at, r.status, w.tag, w.n::bigint, w.total / w.n::double precision,
        CASE WHEN p <= 0 THEN w.low ELSE least(min(g.upper) / 1000.0::double precision, w.high) END
    FROM whole AS w
    JOIN running AS g
        ON g.run = w.run AND g.tag = w.tag
        AND g.seen >= greatest(1, ceil(p / 100 * w.n::double precision))
    JOIN chosen AS r ON r.run = w.run
    GROUP BY r.project, r.test, r.execution, r.started_at, r.status, r.nth, w.run, w.tag, w.n, w.low, w.high, w.total
    ORDER BY r.project, r.test, r.nth, w.tag
$$;

-- The same over the time of one run, in steps of seconds, all series of a tag's value together: at most 1/64 above the exact value.
CREATE FUNCTION floodgate.percentile_over_time(
    of_execution text,
    p double precision,
    of_metric text DEFAULT 'http_req_duration',
    wanted jsonb DEFAULT '{}',
    by_tag text DEFAULT '',
    step_s double precision DEFAULT 10
) RETURNS TABLE (at timestamptz, tag text, count bigint, value double precision)
LANGUAGE sql STABLE AS $$
    WITH samples AS (
        SELECT
            date_bin(make_interval(secs => greatest(step_s, 1)), w.at, 'epoch') AS slot,
            coalesce(w.tags ->> by_tag, '') AS tag, w.count, w.min, w.max, w.upper_us, w.counts
        FROM floodgate.series_windows AS w
        WHERE w.execution = of_execution AND w.metric = of_metric AND w.kind = 'trend' AND w.tags @> wanted
    ),
    whole AS (
        SELECT s.slot, s.tag, sum(s.count) AS n, min(s.min) AS low, max(s.max) AS high
        FROM samples AS s
        GROUP BY s.slot, s.tag
    ),
    running AS (
        SELECT s.slot, s.tag, b.upper, sum(sum(b.n)) OVER (PARTITION BY s.slot, s.tag ORDER BY b.upper) AS seen
        FROM samples AS s, unnest(s.upper_us, s.counts) AS b (upper, n)
        GROUP BY s.slot, s.tag, b.upper
    )
    SELECT
        w.slot, w.tag, w.n::bigint,
        CASE WHEN p <= 0 THEN w.low ELSE least(min(g.upper) / 1000.0::double precision, w.high) END
    FROM whole AS w
    JOIN running AS g
        ON g.slot = w.slot AND g.tag = w.tag
        AND g.seen >= greatest(1, ceil(p / 100 * w.n::double precision))
    GROUP BY w.slot, w.tag, w.n, w.low, w.high
    ORDER BY w.slot, w.tag
$$;

-- Lets a role read a project, which need not have a run yet.
CREATE FUNCTION floodgate.admit(reader name, to_project text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO floodgate.projects (name) VALUES (to_project) ON CONFLICT (name) DO NOTHING;
    INSERT INTO floodgate.members (role, project)
        SELECT reader, id FROM floodgate.projects WHERE name = to_project ON CONFLICT DO NOTHING;
    EXECUTE format('GRANT USAGE ON SCHEMA floodgate TO %I', reader);
    EXECUTE format(
        'GRANT SELECT ON floodgate.projects, floodgate.tests, floodgate.executions, floodgate.thresholds, floodgate.series, '
        'floodgate.totals, floodgate.quantiles, floodgate.my_projects, floodgate.runs, floodgate.run_quantiles, '
        'floodgate.series_windows TO %I', reader
    );
END $$;

-- Takes that back.
CREATE FUNCTION floodgate.dismiss(reader name, from_project text) RETURNS void LANGUAGE sql AS $$
    DELETE FROM floodgate.members
    WHERE role = reader AND project = (SELECT id FROM floodgate.projects WHERE name = from_project)
$$;
