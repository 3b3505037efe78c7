-- Runs, what they measured, and who sees it. Everything is in the schema floodgate, which is created before this.
--
-- Trends are in the unit that reports print (ms for times). Bounds of buckets are in thousandths of it (µs), inclusive.

CREATE TABLE floodgate.projects (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE
);

CREATE TABLE floodgate.tests (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    project integer NOT NULL REFERENCES floodgate.projects (id) ON DELETE CASCADE,
    name text NOT NULL,
    UNIQUE (project, name)
);

CREATE TABLE floodgate.executions (
    run integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    project integer NOT NULL REFERENCES floodgate.projects (id) ON DELETE CASCADE,
    test integer NOT NULL REFERENCES floodgate.tests (id) ON DELETE CASCADE,
    id text NOT NULL UNIQUE,
    testid text NOT NULL,
    status text NOT NULL,
    reasons text[] NOT NULL,
    engine text NOT NULL,
    target text,
    version text NOT NULL,
    created_at timestamptz NOT NULL,
    started_at timestamptz,
    ended_at timestamptz,
    duration_s double precision,
    tasks integer NOT NULL,
    trigger text NOT NULL,
    principal text,
    commit_sha text,
    branch text,
    build_url text,
    requests bigint,
    iterations bigint,
    dropped_iterations bigint,
    -- Whether every row arrived; absent while the export goes on.
    complete boolean,
    summary jsonb
);
CREATE INDEX ON floodgate.executions (test, created_at);
COMMENT ON TABLE floodgate.executions IS 'Runs. run stands for id in all other tables';

CREATE TABLE floodgate.thresholds (
    run integer NOT NULL REFERENCES floodgate.executions (run) ON DELETE CASCADE,
    position integer NOT NULL,
    project integer NOT NULL,
    key text NOT NULL,
    expression text NOT NULL,
    aggregate text NOT NULL,
    operator text NOT NULL,
    target double precision NOT NULL,
    observed double precision,
    outcome text NOT NULL,
    PRIMARY KEY (run, position)
);

-- A metric with its tags, over all runs of a project. The id is made from them, so that it is the same wherever it is computed.
CREATE TABLE floodgate.series (
    id bigint PRIMARY KEY,
    project integer NOT NULL REFERENCES floodgate.projects (id) ON DELETE CASCADE,
    metric text NOT NULL,
    kind text NOT NULL,
    scenario text,
    grp text,
    name text,
    method text,
    status text,
    error_code text,
    -- All of them, those with a column of their own as well.
    tags jsonb NOT NULL
);
CREATE INDEX ON floodgate.series (project, metric, name);

-- What a series measured in a window. counter: sum is what was added; rate: sum is the samples that are not zero; gauge: sum is the
-- last value; trend: quantiles within 0.1 %, and buckets of at most 1/64 of their value, which add up over series and windows.
CREATE TABLE floodgate.windows (
    run integer NOT NULL,
    series bigint NOT NULL,
    at timestamptz NOT NULL,
    project integer NOT NULL,
    window_s integer NOT NULL,
    count bigint NOT NULL,
    sum double precision NOT NULL,
    min double precision NOT NULL,
    max double precision NOT NULL,
    p50 double precision,
    p90 double precision,
    p95 double precision,
    p99 double precision,
    p999 double precision,
    upper_us bigint[],
    counts bigint[],
    PRIMARY KEY (run, series, at)
);

-- What a series measured over the whole run, less its warm-up: buckets as they were recorded, so that quantiles are those of the summary.
CREATE TABLE floodgate.totals (
    run integer NOT NULL REFERENCES floodgate.executions (run) ON DELETE CASCADE,
    series bigint NOT NULL,
    project integer NOT NULL,
    count bigint NOT NULL,
    sum double precision NOT NULL,
    min double precision NOT NULL,
    max double precision NOT NULL,
    upper_us bigint[],
    counts bigint[],
    PRIMARY KEY (run, series)
);

-- Trends of a run as a whole (name '') and by the name of requests, all their series together.
CREATE TABLE floodgate.quantiles (
    run integer NOT NULL REFERENCES floodgate.executions (run) ON DELETE CASCADE,
    metric text NOT NULL,
    name text NOT NULL,
    project integer NOT NULL,
    count bigint NOT NULL,
    avg double precision NOT NULL,
    min double precision NOT NULL,
    max double precision NOT NULL,
    p50 double precision NOT NULL,
    p90 double precision NOT NULL,
    p95 double precision NOT NULL,
    p99 double precision NOT NULL,
    p999 double precision NOT NULL,
    PRIMARY KEY (run, metric, name)
);

-- No foreign key checks every row of windows; so what deletes a run deletes them.
CREATE FUNCTION floodgate.forget_windows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM floodgate.windows WHERE run = OLD.run;
    RETURN OLD;
END $$;
CREATE TRIGGER forget_windows AFTER DELETE ON floodgate.executions
    FOR EACH ROW EXECUTE FUNCTION floodgate.forget_windows();
