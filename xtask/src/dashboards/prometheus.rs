//! In PromQL.

use super::page::{Dashboard, Panel, choice, lines, variable};
use serde_json::{Value, json};

/// The series of the chosen run.
const RUN: &str = r#"project="$project",test="$test",testid="$testid""#;

/// A query; `SEL` stands for the selector of the run.
fn query(legend: &str, expr: &str) -> Value {
    let expr = expr.replace("SEL", RUN);
    json!({"expr": expr, "legendFormat": legend, "range": true})
}

fn quantile(percentile: &str, q: &str, by: &str) -> Value {
    let by = if by.is_empty() {
        "le".to_owned()
    } else {
        format!("le, {by}")
    };
    let expr = format!(
        "histogram_quantile({q}, sum by ({by}) (rate(floodgate_${{metric}}_seconds_bucket{{SEL}}[$__rate_interval])))"
    );
    query(percentile, &expr)
}

pub(super) fn dashboard() -> Dashboard {
    let values = |name: &str, of: &str| json!({"query": format!("label_values({of}, {name})"), "refId": name});
    Dashboard {
        name: "prometheus",
        title: "Floodgate runs (Prometheus)",
        datasource: "prometheus",
        variables: vec![
            variable(
                "project",
                "Project",
                values("project", "floodgate_http_reqs_total"),
            ),
            variable(
                "test",
                "Test",
                values("test", r#"floodgate_http_reqs_total{project="$project"}"#),
            ),
            variable(
                "testid",
                "Run",
                values(
                    "testid",
                    r#"floodgate_http_reqs_total{project="$project",test="$test"}"#,
                ),
            ),
            choice(
                "metric",
                "Times",
                &[
                    "http_req_response_time",
                    "http_req_duration",
                    "iteration_duration",
                ],
            ),
        ],
        panels: panels(),
    }
}

fn panels() -> Vec<Panel> {
    let rate = |legend: &str, by: &str, metric: &str, extra: &str| {
        let by = if by.is_empty() {
            String::new()
        } else {
            format!(" by ({by})")
        };
        query(
            legend,
            &format!("sum{by} (rate(floodgate_{metric}{{SEL{extra}}}[$__rate_interval]))"),
        )
    };
    vec![
        lines(
            "Requests",
            "reqps",
            vec![rate("{{name}}", "name", "http_reqs_total", "")],
        ),
        lines(
            "Times",
            "s",
            vec![
                quantile("p50", "0.5", ""),
                quantile("p95", "0.95", ""),
                quantile("p99", "0.99", ""),
            ],
        ),
        lines(
            "p95 by request",
            "s",
            vec![quantile("{{name}}", "0.95", "name")],
        ),
        lines(
            "Failed requests",
            "percentunit",
            vec![query(
                "failed",
                "sum (rate(floodgate_http_req_failed_total{SEL}[$__rate_interval])) / \
                 sum (rate(floodgate_http_req_failed_samples_total{SEL}[$__rate_interval]))",
            )],
        ),
        lines(
            "Errors",
            "reqps",
            vec![rate(
                "{{error_code}}",
                "error_code",
                "http_reqs_total",
                r#",error_code!="""#,
            )],
        ),
        lines(
            "Virtual users",
            "short",
            vec![
                query("running", "sum (floodgate_vus{SEL})"),
                query("allocated", "sum (floodgate_vus_max{SEL})"),
            ],
        ),
        lines(
            "Iterations",
            "short",
            vec![
                rate("completed", "", "iterations_total", ""),
                rate("dropped", "", "dropped_iterations_total", ""),
            ],
        ),
        lines(
            "Data",
            "Bps",
            vec![
                rate("sent", "", "data_sent_bytes_total", ""),
                rate("received", "", "data_received_bytes_total", ""),
            ],
        ),
        lines(
            "CPU of the busiest generator",
            "percentunit",
            vec![query("cpu", "max (floodgate_generator_cpu{SEL})")],
        ),
    ]
}
