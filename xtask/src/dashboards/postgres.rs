//! In SQL.

use super::page::{Dashboard, Panel, Shape, choice, lines, variable};
use serde_json::{Value, json};

/// Length of a slot in seconds.
const STEP: &str = "greatest($__interval_ms / 1000, 1)";

fn query(sql: &str, format: &str) -> Value {
    json!({"rawSql": sql, "rawQuery": true, "editorMode": "code", "format": format})
}

/// A figure of the chosen run by slot, with a line for each value of `by`.
fn course(figure: &str, by: &str, metric: &str, filter: &str) -> Value {
    query(
        &format!(
            "SELECT date_bin(make_interval(secs => {STEP}), at, 'epoch') AS time, {by} AS metric, {figure} AS value \
             FROM floodgate.series_windows \
             WHERE execution = ${{execution:sqlstring}} AND metric = '{metric}' AND $__timeFilter(at){filter} \
             GROUP BY 1, 2 ORDER BY 1, 2"
        ),
        "time_series",
    )
}

fn per_second(by: &str, metric: &str, filter: &str) -> Value {
    course(&format!("sum(sum) / {STEP}"), by, metric, filter)
}

fn percentile(p: &str, tag: &str, shown: &str) -> Value {
    query(
        &format!(
            "SELECT at AS time, {shown} AS metric, value \
             FROM floodgate.percentile_over_time(${{execution:sqlstring}}, {p}, ${{metric:sqlstring}}, '{{}}', '{tag}', {STEP}) \
             WHERE $__timeFilter(at) ORDER BY 1, 2"
        ),
        "time_series",
    )
}

pub(super) fn dashboard() -> Dashboard {
    Dashboard {
        name: "postgres",
        title: "Floodgate runs (PostgreSQL)",
        datasource: "grafana-postgresql-datasource",
        variables: vec![
            variable(
                "project",
                "Project",
                json!("SELECT name FROM floodgate.projects ORDER BY name"),
            ),
            variable(
                "test",
                "Test",
                json!(
                    "SELECT DISTINCT test FROM floodgate.runs WHERE project = ${project:sqlstring} ORDER BY test"
                ),
            ),
            variable(
                "execution",
                "Run",
                json!(
                    "SELECT execution FROM floodgate.runs WHERE project = ${project:sqlstring} AND test = ${test:sqlstring} ORDER BY nth"
                ),
            ),
            choice(
                "metric",
                "Times",
                &[
                    "http_req_response_time",
                    "http_req_duration",
                    "iteration_duration",
                    "sample_duration",
                ],
            ),
        ],
        panels: panels(),
    }
}

fn panels() -> Vec<Panel> {
    let table = |title, sql: &str| Panel {
        title,
        shape: Shape::Table,
        unit: "short",
        targets: vec![query(sql, "table")],
    };
    vec![
        lines(
            "Requests",
            "reqps",
            vec![per_second("coalesce(name, '')", "http_reqs", "")],
        ),
        lines(
            "Times",
            "ms",
            vec![
                percentile("50", "", "'p50'"),
                percentile("95", "", "'p95'"),
                percentile("99", "", "'p99'"),
            ],
        ),
        lines(
            "p95 by request",
            "ms",
            vec![percentile("95", "name", "tag")],
        ),
        lines(
            "Failed requests",
            "percentunit",
            vec![course(
                "sum(sum) / sum(count)",
                "'failed'",
                "http_req_failed",
                "",
            )],
        ),
        lines(
            "Errors",
            "reqps",
            vec![per_second(
                "error_code",
                "http_reqs",
                " AND error_code IS NOT NULL",
            )],
        ),
        lines(
            "Virtual users",
            "short",
            vec![
                course("max(max)", "'running'", "vus", ""),
                course("max(max)", "'allocated'", "vus_max", ""),
            ],
        ),
        lines(
            "Iterations",
            "short",
            vec![
                per_second("'completed'", "iterations", ""),
                per_second("'dropped'", "dropped_iterations", ""),
            ],
        ),
        lines(
            "Data",
            "Bps",
            vec![
                per_second("'sent'", "data_sent", ""),
                per_second("'received'", "data_received", ""),
            ],
        ),
        lines(
            "CPU of the busiest generator",
            "percentunit",
            vec![course("max(max)", "'cpu'", "generator_cpu", "")],
        ),
        table(
            "Thresholds",
            "SELECT t.key, t.expression, t.observed, t.target, t.outcome FROM floodgate.thresholds AS t \
             JOIN floodgate.runs AS r USING (run) WHERE r.execution = ${execution:sqlstring} ORDER BY t.position",
        ),
        table(
            "The last 20 runs",
            "SELECT started_at AS time, execution, status, count, p50, p95, p99 FROM floodgate.run_quantiles \
             WHERE project = ${project:sqlstring} AND test = ${test:sqlstring} AND metric = ${metric:sqlstring} AND name = '' \
             AND nth <= 20 ORDER BY nth",
        ),
        table(
            "Requests of this run",
            "SELECT name, count, avg, p50, p95, p99, max FROM floodgate.run_quantiles \
             WHERE execution = ${execution:sqlstring} AND metric = ${metric:sqlstring} AND name <> '' ORDER BY p95 DESC",
        ),
    ]
}
