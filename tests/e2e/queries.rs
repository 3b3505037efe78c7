//! Questions over runs: trends of any series, requests by any tag, and SQL that says the same.

use crate::support::*;
use floodgate_records::requests::RequestsBy;
use floodgate_records::trend::Trend;
use floodgate_testserver::{Config, TestServer};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;

/// Pages that are there and one that is not, by two scenarios.
fn definition(target: &str, iterations: u32) -> String {
    format!(
        "version: 1\nproject: e2e\ntest: pages\ntarget: {target}\nscenarios:\n  one:\n    executor: shared-iterations\n    vus: 2\n    \
         iterations: {iterations}\n    flow:\n      - {{ get: /bytes/100, name: page }}\n      - {{ get: /bytes/20000, name: '=1+1, \"x\"' }}\n  \
         two:\n    executor: per-vu-iterations\n    iterations: 7\n    flow:\n      - {{ get: /status/404, name: missing }}\n"
    )
}

fn runs(bench: &Bench, iterations: &[u32]) -> Vec<String> {
    let target = TestServer::start(Config::service()).unwrap();
    let one = |n: &u32| {
        let (_, summary) = bench.run(&definition(&target.url(), *n), &[]);
        summary.execution
    };
    iterations.iter().map(one).collect()
}

fn trend_of(ended: &Ended) -> Trend {
    serde_json::from_str(&ended.expect(0).stdout()).unwrap()
}

#[test]
fn a_trend_is_asked_in_three_words_or_fewer() {
    let bench = Bench::new();
    let ids = runs(&bench, &[40, 60, 80]);
    let key = "http_req_duration{name:\"page\", status: 200}";
    let asked = |words: &[&str]| bench.floodgate(&[&["trend"], words].concat());
    let two = trend_of(&asked(&[key, "p(97.5)", "--last", "2", "--json"]));
    assert_eq!(two.runs.len(), 2);
    let [metric] = &two.metrics[..] else {
        panic!("{two:#?}")
    };
    assert_eq!(metric.id, "http_req_duration{name:page,status:200} p(97.5)");
    assert!(metric.values.iter().all(Option::is_some), "{two:#?}");
    let named = trend_of(&asked(&["e2e/pages", key, "p(97.5)", "--json"]));
    assert_eq!(named.metrics[0].values[1..], metric.values);
    let counted = trend_of(&asked(&["http_reqs{name:page}", "count", "--json"]));
    assert_eq!(counted.metrics[0].values, [40.0, 60.0, 80.0].map(Some));

    let shown = asked(&[key, "p(97.5)"]).expect(0).stdout();
    assert!(ids.iter().all(|id| shown.contains(id)), "{shown}");
    let csv = asked(&[
        "http_reqs{name:=1+1}",
        "count",
        "-m",
        "http_reqs count",
        "--csv",
    ]);
    let csv = csv.expect(0).stdout();
    let mut lines = csv.lines();
    let heading =
        "execution,started,status,version,commit,http_reqs{name:=1+1} count,http_reqs count";
    assert_eq!(lines.next(), Some(heading));
    let counts: Vec<_> = lines
        .map(|line| line.rsplit_once(",,").unwrap().1)
        .collect();
    assert_eq!(counts, ["87", "127", "167"], "{csv}");

    bench.floodgate(&["import", "none.csv"]).expect(104);
    bench.write(
        "other.csv",
        "timeStamp,elapsed,label,responseCode,success\n1795330000000,5,home,200,true\n",
    );
    bench.floodgate(&["import", "other.csv", "--test", "other"]);
    asked(&[key, "p(97.5)"]).refused("name one first (default/other, e2e/pages)");
    asked(&["pages", key]).refused("[TEST] METRIC AGGREGATE");
    assert_eq!(
        asked(&["e2e/pages", key, "p(50)", "more"]).code(),
        Some(104)
    );
}

#[test]
fn requests_are_shown_by_any_tag() {
    let bench = Bench::new();
    let id = &runs(&bench, &[40])[0];
    let by = |tag: &str| {
        let ended = bench.floodgate(&["show", id, "--by", tag, "--json"]);
        let found: RequestsBy = serde_json::from_str(&ended.expect(0).stdout()).unwrap();
        assert_eq!((found.by.as_str(), &found.execution), (tag, id));
        let rows = found.requests.into_iter();
        rows.map(|r| (r.name, r.count, r.failed))
            .collect::<Vec<_>>()
    };
    let row = |name: &str, count, failed| (name.to_owned(), count, failed);
    assert_eq!(by("status"), [row("404", 7, 7), row("200", 80, 0)]);
    assert_eq!(by("scenario"), [row("two", 7, 7), row("one", 80, 0)]);
    assert_eq!(
        by("expected_response"),
        [row("false", 7, 7), row("true", 80, 0)]
    );
    let summary = bench.floodgate(&["show", id, "--json"]).summary();
    let rows = summary.requests.iter();
    let names: Vec<_> = rows.map(|r| (r.name.clone(), r.count, r.failed)).collect();
    assert_eq!(by("name"), names);

    let shown = bench.floodgate(&["show", id, "--by", "status"]);
    let shown = shown.expect(0).stdout();
    assert!(shown.trim_start().starts_with("status"), "{shown}");
    let none = bench.floodgate(&["show", id, "--by", "colour"]);
    let said = none.expect(97).stderr();
    assert!(
        said.contains("there are ") && said.contains("scenario"),
        "{said}"
    );
}

/// What infra/sql says of the runs of a bench; `None` without a Python that has DuckDB.
fn sql(bench: &Bench, asked: &Value) -> Option<Value> {
    let Some(python) = std::env::var_os("FLOODGATE_PYTHON") else {
        println!("FLOODGATE_PYTHON is not set: infra/sql is not run");
        return None;
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let output = Command::new(python)
        .arg(root.join("tests/e2e/scripts/queries.py"))
        .arg(bench.path(".floodgate"))
        .arg(root.join("infra/sql"))
        .arg(asked.to_string())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

/// A value of the row of a run, and of a tag if there is one.
#[track_caller]
fn of(rows: &Value, run: &str, tag: Option<&str>, column: &str) -> f64 {
    let found = rows.as_array().unwrap().iter().find(|row| {
        let tags = [&row["tag"], &row["name"]];
        row["execution"] == run && tag.is_none_or(|tag| tags.iter().any(|found| **found == tag))
    });
    let value = found.and_then(|row| row[column].as_f64());
    value.unwrap_or_else(|| panic!("no {column} of {run} and {tag:?} in {rows:#}"))
}

#[test]
fn sql_has_the_same_numbers() {
    let bench = Bench::new();
    let ids = runs(&bench, &[150, 300]);
    let percentiles = [
        0.0, 0.1, 7.0, 50.0, 90.0, 95.0, 97.5, 99.0, 99.9, 99.99, 100.0,
    ];
    let asked = json!({"runs": ids, "percentiles": percentiles, "project": "e2e", "test": "pages"});
    let Some(found) = sql(&bench, &asked) else {
        return;
    };
    let keys = [
        ("http_req_duration", "all", None, ""),
        (
            "http_req_duration{name:page,status:200}",
            "one",
            None,
            "page",
        ),
        (
            "http_req_duration{name:missing}",
            "by_name",
            Some("missing"),
            "",
        ),
    ];
    let metrics: Vec<_> = percentiles
        .iter()
        .flat_map(|p| keys.map(|(key, ..)| format!("{key} p({p})")))
        .collect();
    let more = metrics.iter().flat_map(|metric| ["-m", metric]);
    let arguments: Vec<_> = ["trend", "--json"].into_iter().chain(more).collect();
    let trend = trend_of(&bench.floodgate(&arguments));
    let number = |id: &str, at: usize| {
        let metric = trend.metrics.iter().find(|metric| metric.id == id).unwrap();
        metric.values[at].unwrap()
    };
    for (at, id) in ids.iter().enumerate() {
        for (i, p) in percentiles.iter().enumerate() {
            let of_p = &found["percentiles"][i];
            for (key, rows, tag, name) in keys {
                let expected = number(&format!("{key} p({p})"), at);
                assert_eq!(of(&of_p[rows], id, tag, "ms"), expected, "{key} p({p})");
                if rows != "by_name" {
                    let prepared = found["prepared"].as_array().unwrap();
                    let same = |of: &&Value| of["p"] == *p && of["name"] == name;
                    let of_name = prepared.iter().find(same).unwrap();
                    assert_eq!(
                        of(&of_name["rows"], id, None, "ms"),
                        expected,
                        "{key} p({p})"
                    );
                }
            }
        }
        let summary = bench.floodgate(&["show", id, "--json"]).summary();
        let duration = &summary.metrics["http_req_duration"].values;
        for (p, name) in [
            (0.0, "min"),
            (50.0, "med"),
            (90.0, "p(90)"),
            (95.0, "p(95)"),
            (99.0, "p(99)"),
            (99.9, "p(99.9)"),
            (100.0, "max"),
        ] {
            let i = percentiles.iter().position(|one| *one == p).unwrap();
            let rows = &found["percentiles"][i]["all"];
            assert_eq!(of(rows, id, None, "ms"), duration[name], "{name}");
            assert_eq!(of(rows, id, None, "count"), duration["count"]);
        }
        same_sums(&found, id, &summary);
    }
    let page = |rows: &Value, name: &str| {
        let rows = rows.as_array().unwrap();
        let found = rows.iter().find(|row| row[name] == "page");
        found.unwrap_or_else(|| panic!("{rows:#?}")).clone()
    };
    let (by_macro, prepared) = (
        page(&found["compared"], "tag"),
        page(&found["prepared_compared"], "name"),
    );
    assert_eq!(by_macro["base_count"], 150);
    assert_eq!(by_macro["head_ms"], prepared["head_p95_ms"]);
    assert_eq!(prepared["head_requests"], 300);
    assert_eq!(
        found["other_project"],
        json!([]),
        "a query sees what it names"
    );
}

/// Counts and shares, as the summary has them.
fn same_sums(found: &Value, id: &str, summary: &floodgate_records::summary::Summary) {
    let requests = value(summary, "http_reqs", "count");
    assert_eq!(of(&found["throughput"], id, None, "total"), requests);
    let per_s = of(&found["throughput"], id, None, "per_s");
    assert_eq!(per_s, value(summary, "http_reqs", "rate"));
    let failed = value(summary, "http_req_failed", "rate");
    assert_eq!(of(&found["error_rate"], id, None, "rate"), failed);
    assert_eq!(of(&found["unexpected"], id, None, "rate"), 1.0);
    assert_eq!(of(&found["by_status"], id, Some("404"), "total"), 7.0);
    let missing = Some("missing");
    assert_eq!(
        of(&found["prepared_error_rate"], id, missing, "failed"),
        7.0
    );
    assert_eq!(
        of(&found["prepared_throughput"], id, missing, "requests"),
        7.0
    );
    for part in ["merged", "buckets", "in_buckets"] {
        assert_eq!(found["arrow"][id][part], requests, "{part}");
    }
}
