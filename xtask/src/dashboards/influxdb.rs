//! In InfluxQL.

use super::page::{Dashboard, Panel, lines, variable};
use serde_json::{Value, json};

/// The points of the chosen run.
const RUN: &str = r#""testid" =~ /^$testid$/ AND $timeFilter"#;

/// A query; `RUN` stands for the filter of the run.
fn query(alias: &str, text: &str) -> Value {
    json!({
        "query": text.replace("RUN", RUN),
        "rawQuery": true,
        "alias": alias,
        "resultFormat": "time_series",
    })
}

/// What is added up in a second, on average over an interval; with a line for each value of a tag.
fn per_second(alias: &str, metric: &str, filter: &str, tag: &str) -> Value {
    let tag = if tag.is_empty() {
        String::new()
    } else {
        format!(", \"{tag}\"")
    };
    query(
        alias,
        &format!(
            "SELECT mean(\"s\") FROM (SELECT sum(\"value\") AS \"s\" FROM \"{metric}\" WHERE RUN{filter} GROUP BY time(1s){tag} fill(0)) \
             WHERE $timeFilter GROUP BY time($__interval){tag} fill(none)"
        ),
    )
}

fn percentile(alias: &str, p: &str, tag: &str) -> Value {
    query(
        alias,
        &format!(
            "SELECT percentile(\"value\", {p}) FROM \"http_req_duration\" WHERE RUN GROUP BY time($__interval){tag} fill(none)"
        ),
    )
}

fn largest(alias: &str, metric: &str) -> Value {
    query(
        alias,
        &format!(
            "SELECT max(\"value\") FROM \"{metric}\" WHERE RUN GROUP BY time($__interval) fill(none)"
        ),
    )
}

pub(super) fn dashboard() -> Dashboard {
    let runs = "SHOW TAG VALUES FROM \"http_reqs\" WITH KEY = \"testid\"";
    Dashboard {
        name: "influxdb",
        title: "Floodgate runs (InfluxDB)",
        datasource: "influxdb",
        variables: vec![variable("testid", "Run", json!(runs))],
        panels: panels(),
    }
}

fn panels() -> Vec<Panel> {
    vec![
        lines(
            "Requests",
            "reqps",
            vec![per_second("$tag_name", "http_reqs", "", "name")],
        ),
        lines(
            "Service time",
            "ms",
            vec![
                percentile("p50", "50", ""),
                percentile("p95", "95", ""),
                percentile("p99", "99", ""),
            ],
        ),
        lines(
            "p95 by request",
            "ms",
            vec![percentile("$tag_name", "95", ", \"name\"")],
        ),
        lines(
            "Failed requests",
            "percentunit",
            vec![query(
                "failed",
                "SELECT sum(\"sum\") / sum(\"count\") FROM \"http_req_failed\" WHERE RUN GROUP BY time($__interval) fill(none)",
            )],
        ),
        lines(
            "Errors",
            "reqps",
            vec![per_second(
                "$tag_error_code",
                "http_reqs",
                " AND \"error_code\" != ''",
                "error_code",
            )],
        ),
        lines(
            "Virtual users",
            "short",
            vec![largest("running", "vus"), largest("allocated", "vus_max")],
        ),
        lines(
            "Iterations",
            "short",
            vec![
                per_second("completed", "iterations", "", ""),
                per_second("dropped", "dropped_iterations", "", ""),
            ],
        ),
        lines(
            "Data",
            "Bps",
            vec![
                per_second("sent", "data_sent", "", ""),
                per_second("received", "data_received", "", ""),
            ],
        ),
        lines(
            "CPU of the busiest generator",
            "percentunit",
            vec![largest("cpu", "generator_cpu")],
        ),
    ]
}
