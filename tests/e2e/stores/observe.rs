//! What Prometheus knows of the target, beside what the run measured.

use super::servers;
use crate::export::server::{free_port, installed};
use crate::support::*;
use floodgate_records::status::Status;
use floodgate_testserver::{Config, TestServer};

/// A run of 6 s with these observations and thresholds.
fn definition(target: &str, observe: &str, thresholds: &str) -> String {
    format!(
        "version: 1\nproject: e2e\ntest: observed\ntarget: {target}\nscenarios:\n  s:\n    executor: constant-arrival-rate\n    rate: 20\n    \
         duration: 6s\n    preAllocatedVUs: 5\n    flow: [{{ get: / }}]\nobserve:\n{observe}\nthresholds:\n{thresholds}\n\
         export: [\"file:live.csv\"]\n"
    )
}

#[test]
fn what_prometheus_tells_is_judged_shown_and_exported_like_any_trend() {
    let Some(program) = installed("FLOODGATE_PROMETHEUS") else {
        return;
    };
    let server = servers::prometheus(&program);
    let target = TestServer::start(Config::fast()).unwrap();
    let bench = Bench::new();
    let url = format!("http://127.0.0.1:{}", server.port);
    let query = "time() % 100";
    let observe = format!(
        "  fixed: {{ prometheus: \"{url}\", query: vector(42.5), interval: 1s }}\n  \
         clock: {{ prometheus: \"{url}/\", query: \"vector({query})\", interval: 2s }}"
    );
    let thresholds = "  fixed: [avg<43, p(95)>42, max==42.5]\n  clock: [max<100]";
    let (ended, summary) = bench.run(&definition(&target.url(), &observe, thresholds), &[]);
    ended.expect(0);
    assert_eq!(summary.status, Status::Passed, "{:?}", summary.reasons);
    assert_eq!(summary.warnings, Vec::<String>::new());
    assert_eq!(value(&summary, "fixed", "avg"), 42.5);
    assert_eq!(
        value(&summary, "fixed", "count"),
        summary.duration_s.floor()
    );
    assert_eq!(
        value(&summary, "clock", "count"),
        (summary.duration_s / 2.0).floor()
    );
    // Each value stands in the second that ends with its time, and is what the server says of it.
    let rows = std::fs::read_to_string(bench.path("live.csv")).unwrap();
    let mut lines = rows.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let names = lines.next().unwrap();
    let of = |line: &[&str], name: &str| {
        let at = names.iter().position(|n| *n == name).unwrap();
        line[at].to_owned()
    };
    let mut seen = 0;
    for line in lines.filter(|line| of(line, "metric") == "clock") {
        let end_s = of(&line, "time_ms").parse::<f64>().unwrap() / 1e3 + 1.0;
        let told = server.promql(&format!("vector({query})"), end_s).unwrap();
        let kept = of(&line, "sum").parse::<f64>().unwrap();
        assert!((told - kept).abs() < 0.001, "{told}, not {kept}");
        seen += 1;
    }
    assert_eq!(f64::from(seen), value(&summary, "clock", "count"));
    let shown = bench.floodgate(&["show", &summary.execution]);
    assert!(shown.stdout().contains("fixed"), "{}", shown.stdout());
    let later = bench.floodgate(&["export", &summary.execution, "--to", "file:later.csv"]);
    later.expect(0);
    let later = std::fs::read_to_string(bench.path("later.csv")).unwrap();
    let count = |text: &str, metric: &str| text.matches(&format!(",{metric},")).count();
    for metric in ["fixed", "clock"] {
        assert_eq!(count(&later, metric), count(&rows, metric), "{metric}");
    }
}

#[test]
fn a_query_that_gives_nothing_or_too_much_never_passes() {
    let Some(program) = installed("FLOODGATE_PROMETHEUS") else {
        return;
    };
    let server = servers::prometheus(&program);
    let target = TestServer::start(Config::fast()).unwrap();
    let bench = Bench::new();
    let url = format!("http://127.0.0.1:{}", server.port);
    for (query, why) in [
        ("absent_metric", "it has no value of these times"),
        ("sum(", "answered 400"),
        (
            "vector(1) or label_replace(vector(2), 'a', 'b', 'c', '')",
            "2 series",
        ),
        ("vector(-1)", "below 0"),
    ] {
        let observe =
            format!("  cpu: {{ prometheus: \"{url}\", query: \"{query}\", interval: 2s }}");
        let definition = definition(&target.url(), &observe, "  cpu: [max<50]");
        let (ended, summary) = bench.run(&definition, &[]);
        ended.expect(98);
        assert_eq!(summary.status, Status::Inconclusive, "{query}");
        let said = summary.reasons.join("; ");
        assert!(
            said.contains("of cpu are missing") && said.contains(why),
            "{query}: {said}"
        );
        // Once is enough.
        let again = summary.warnings.iter().any(|w| w.contains("of cpu are"));
        assert!(!again, "{query}: {:?}", summary.warnings);
        assert_eq!(value(&summary, "http_reqs", "count"), 120.0);
    }
}

/// Without a threshold on it, what is missing is a warning.
#[test]
fn a_source_that_is_down_leaves_load_and_verdict_alone() {
    let target = TestServer::start(Config::fast()).unwrap();
    let bench = Bench::new();
    let url = format!("http://127.0.0.1:{}", free_port());
    let observe = format!("  cpu: {{ prometheus: \"{url}\", query: up, interval: 1s }}");
    let definition = definition(&target.url(), &observe, "  http_req_failed: [rate<0.01]");
    let (ended, summary) = bench.run(&definition, &[]);
    ended.expect(0);
    assert_eq!(summary.status, Status::Passed, "{:?}", summary.reasons);
    assert_eq!(value(&summary, "http_reqs", "count"), 120.0);
    let said = summary.warnings.join("; ");
    assert!(
        said.contains("values of cpu are missing") && said.contains("cannot be reached"),
        "{said}"
    );
}
