-- What TimescaleDB adds where it is installed in the database. Run after every migration; changes nothing the second time.
DO $$
DECLARE
    licensed boolean := coalesce(current_setting('timescaledb.license', true), 'apache') = 'timescale';
BEGIN
    IF EXISTS (
        SELECT FROM timescaledb_information.hypertables
        WHERE hypertable_schema = 'floodgate' AND hypertable_name = 'windows'
    ) THEN
        RETURN;
    END IF;
    PERFORM create_hypertable('floodgate.windows', 'at', chunk_time_interval => interval '1 day', migrate_data => true);
    IF NOT licensed THEN
        RETURN;
    END IF;
    -- Compressed tables can have no policies: readers have no right on windows, and series_windows says what they see.
    DROP POLICY IF EXISTS seen ON floodgate.windows;
    ALTER TABLE floodgate.windows DISABLE ROW LEVEL SECURITY;
    ALTER TABLE floodgate.windows SET (
        timescaledb.compress, timescaledb.compress_segmentby = 'run, series', timescaledb.compress_orderby = 'at'
    );
    PERFORM add_compression_policy('floodgate.windows', interval '7 days');
    EXECUTE $view$
        CREATE MATERIALIZED VIEW floodgate.minutes WITH (timescaledb.continuous) AS
        SELECT
            run, project, series, time_bucket(interval '1 minute', at) AS at,
            sum(count) AS count, sum(sum) AS sum, min(min) AS min, max(max) AS max, max(p95) AS worst_p95
        FROM floodgate.windows
        GROUP BY 1, 2, 3, 4
        WITH NO DATA
    $view$;
    PERFORM add_continuous_aggregate_policy(
        'floodgate.minutes',
        start_offset => interval '2 days', end_offset => interval '1 minute', schedule_interval => interval '1 minute'
    );
END $$;
