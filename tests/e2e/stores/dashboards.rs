//! The queries of the dashboards in `infra/grafana`, as Grafana would ask them.

use super::servers::{Server, encoded, get};
use super::{export, run};
use crate::export::server::Influx;
use crate::support::Bench;
use floodgate_records::summary::Summary;
use serde_json::Value;
use std::path::Path;

/// Panels: their titles, and their queries in the field `key` of each target.
fn panels(file: &str, key: &str) -> Vec<(String, Vec<String>)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("infra/grafana")
        .join(file);
    let page: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let panel = |panel: &Value| {
        let targets = panel["targets"].as_array().unwrap().iter();
        (
            text(&panel["title"]),
            targets.map(|target| text(&target[key])).collect(),
        )
    };
    page["panels"]
        .as_array()
        .unwrap()
        .iter()
        .map(panel)
        .collect()
}

/// Panels that have nothing to show for a run without errors of the network, or drops.
const MAY_BE_EMPTY: [&str; 2] = ["Errors", "Iterations"];

pub fn postgres(sql: &dyn Fn(&str) -> String, summary: &Summary) {
    let filled = |query: &str| {
        let query = query
            .replace(
                "${execution:sqlstring}",
                &format!("'{}'", summary.execution),
            )
            .replace("${project:sqlstring}", "'e2e'")
            .replace("${test:sqlstring}", "'pages'")
            .replace("${metric:sqlstring}", "'http_req_duration'")
            .replace("$__interval_ms", "2000")
            .replace(
                "$__timeFilter(at)",
                "at BETWEEN now() - interval '1 hour' AND now()",
            );
        assert!(!query.contains('$'), "{query}");
        query
    };
    for (title, queries) in panels("postgres.json", "rawSql") {
        for query in queries {
            let rows = sql(&filled(&query));
            let may_be_empty = MAY_BE_EMPTY.contains(&title.as_str());
            assert!(may_be_empty || !rows.is_empty(), "{title}: {query}");
        }
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("infra/grafana/postgres.json");
    let page: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let variables = page["templating"]["list"].as_array().unwrap();
    for variable in variables
        .iter()
        .filter(|variable| variable["type"] == "query")
    {
        let rows = sql(&filled(variable["query"].as_str().unwrap()));
        assert!(!rows.is_empty(), "{variable}");
    }
}

pub fn prometheus(server: &Server, summary: &Summary, testid: &str) {
    let start_s = summary.started_ms.unwrap() / 1_000;
    let end_s = start_s + summary.duration_s.ceil() as i64 + 12;
    for (title, queries) in panels("prometheus.json", "expr") {
        for query in queries {
            let query = query
                .replace("$project", "e2e")
                .replace("$testid", testid)
                .replace("$test", "pages")
                .replace("${metric}", "http_req_duration")
                .replace("$__rate_interval", "20s");
            assert!(!query.contains('$'), "{query}");
            let path = format!(
                "/api/v1/query_range?start={start_s}&end={end_s}&step=1&query={}",
                encoded(&query)
            );
            let (status, body) = server.get(&path).unwrap();
            assert_eq!(status, 200, "{title}: {query}: {body}");
            let answer: Value = serde_json::from_str(&body).unwrap();
            let series = answer["data"]["result"].as_array().unwrap();
            let may_be_empty = MAY_BE_EMPTY.contains(&title.as_str());
            assert!(may_be_empty || !series.is_empty(), "{title}: {query}");
        }
    }
}

#[test]
fn influxdb_answers_all_panels() {
    let Some(server) = Influx::start() else {
        return;
    };
    let bench = Bench::new();
    let summary = run(&bench, "e2e", 60);
    export(
        &bench,
        &summary,
        &format!("influxdb://127.0.0.1:{}/results", server.port),
    );
    for (title, queries) in panels("influxdb.json", "query") {
        for query in queries {
            let query = query
                .replace("$testid", &summary.execution)
                .replace("$timeFilter", "time > now() - 1h AND time < now() + 1m")
                .replace("$__interval", "2s");
            let path = format!("/query?db=results&q={}", encoded(&query));
            let (status, body) = get(server.port, &path).unwrap();
            assert_eq!(status, 200, "{title}: {query}: {body}");
            let answer: Value = serde_json::from_str(&body).unwrap();
            let result = &answer["results"][0];
            assert!(result["error"].is_null(), "{title}: {query}: {body}");
            let may_be_empty = MAY_BE_EMPTY.contains(&title.as_str());
            assert!(
                may_be_empty || result["series"].is_array(),
                "{title}: {query}: {body}"
            );
        }
    }
}
