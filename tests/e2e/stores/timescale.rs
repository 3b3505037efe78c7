//! TimescaleDB with its community licence: what a run's windows are as a hypertable, compressed, and by the minute.

use super::postgres::Database;
use super::{export, run};
use crate::export::server::installed;
use crate::support::*;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// Counts of all metrics, and the sums of those whose samples are whole numbers.
const SUMS: &str = "SELECT metric, sum(w.count), sum(CASE WHEN kind IN ('counter', 'rate') THEN w.sum ELSE 0 END)::bigint \
                    FROM floodgate.windows AS w JOIN floodgate.series AS s ON s.id = w.series GROUP BY 1 ORDER BY 1";

/// What TimescaleDB answers to statements, with what PostgreSQL holds.
fn answers(packages: &Path, database: &Database, statements: &[&str]) -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let data = tempfile::tempdir().unwrap();
    for table in ["projects", "tests", "executions", "series", "windows"] {
        let rows = database.sql(&format!("COPY floodgate.{table} TO STDOUT"));
        std::fs::write(data.path().join(table), format!("{rows}\n")).unwrap();
    }
    let mut node = Command::new("node")
        .arg(root.join("tests/e2e/stores/timescale.mjs"))
        .arg(packages)
        .arg(root.join("crates/export/src/postgres/sql"))
        .arg(data.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let asked = serde_json::to_vec(statements).unwrap();
    node.stdin.take().unwrap().write_all(&asked).unwrap();
    let output = node.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn compressed_windows_and_minutes_say_what_the_run_measured() {
    let Some(packages) = installed("FLOODGATE_TIMESCALE") else {
        return;
    };
    let Some(database) = Database::open() else {
        return;
    };
    let bench = Bench::new();
    let summary = run(&bench, "e2e", 60);
    export(&bench, &summary, &database.url());
    let id = &summary.execution;
    let p95 =
        format!("SELECT value FROM floodgate.percentile_over_time('{id}', 95, step_s => 1e9)");
    let minutes = SUMS.replace("floodgate.windows", "floodgate.minutes");
    let jobs = "SELECT proc_name FROM timescaledb_information.jobs WHERE hypertable_schema IS NOT NULL ORDER BY 1";
    let found = answers(
        &packages,
        &database,
        &[
            "SELECT current_setting('timescaledb.license')",
            "SELECT compression_enabled FROM timescaledb_information.hypertables WHERE hypertable_name = 'windows'",
            jobs,
            SUMS,
            &p95,
            "SELECT count(compress_chunk(chunk)) > 0 FROM show_chunks('floodgate.windows') AS chunk",
            "SELECT bool_and(is_compressed) FROM timescaledb_information.chunks WHERE hypertable_name = 'windows'",
            SUMS,
            &p95,
            "CALL refresh_continuous_aggregate('floodgate.minutes', NULL, NULL)",
            &minutes,
            // Exporting again deletes and inserts, also what is compressed.
            &format!("DELETE FROM floodgate.executions WHERE id = '{id}'"),
            "SELECT count(*) FROM floodgate.windows",
        ],
    );
    let (sums, p95) = (database.sql(SUMS), database.sql(&p95));
    assert!(sums.contains(&format!(
        "http_reqs|{}|",
        value(&summary, "http_reqs", "count")
    )));
    let policies = "policy_compression\npolicy_refresh_continuous_aggregate";
    let expected = [
        "timescale",
        "true",
        policies,
        &sums,
        &p95,
        "true",
        "true",
        &sums,
        &p95,
        "",
        &sums,
        "",
        "0",
    ];
    assert_eq!(found, expected);
}
