//! The course of a run: a warm-up that is not judged, parts of a run, objectives, and aborts that look at a part alone.

use crate::support::*;
use floodgate_records::status::Status;
use floodgate_testserver::{Config, TestServer};

#[test]
fn parts_and_windows_of_a_run_add_up_to_it() {
    let (bench, target) = (Bench::new(), TestServer::start(Config::fast()).unwrap());
    let judged = concat!(
        "warmup: 1s\n",
        "thresholds:\n",
        "  http_reqs:\n",
        "    - count>0\n",
        "    - { threshold: count>0, to: 3s }\n",
        "    - { threshold: count>0, from: 3s }\n",
        "    - { threshold: count>0, stage: one }\n",
        "slo:\n",
        "  - { http_req_duration: p(95)<3600000, of: 100%, window: 2s }\n",
        "  - { http_req_failed: rate<0.5, of: 10%, window: 1s }\n",
    );
    let text = arrivals(&target.url(), 40, "6s", judged);
    let (ended, summary) = bench.run(&text, &["--generators", "2"]);
    let sent = target.counters().requests();
    assert_eq!(summary.status, Status::Passed, "{:?}", summary.reasons);
    ended.expect(0);
    let warmup = summary.warmup.unwrap();
    assert_eq!(warmup.seconds, 1.0);
    assert!(warmup.http_reqs > 0 && warmup.failed == 0, "{warmup:?}");
    // What was sent is the warm-up and what is judged, and that is its parts.
    let after = value(&summary, "http_reqs", "count");
    assert_eq!(summary.applied.http_reqs, sent);
    assert_eq!(warmup.http_reqs as f64 + after, sent as f64);
    let shown = bench.floodgate(&["runs", "--json"]).stdout();
    let runs: serde_json::Value = serde_json::from_str(&shown).unwrap();
    let thresholds = runs[0]["thresholds"].as_array().unwrap();
    let of = |id: &str| {
        let found = thresholds.iter().find(|t| t["id"] == id);
        found.unwrap_or_else(|| panic!("no {id} in {thresholds:#?}"))
    };
    let observed = |id: &str| of(id)["observed"].as_f64().unwrap();
    assert_eq!(observed("http_reqs: count>0"), after);
    let parts = observed("http_reqs: count>0 to 3s") + observed("http_reqs: count>0 from 3s");
    assert_eq!(parts, after);
    assert!(observed("http_reqs: count>0 in stage one") <= after);
    let objective = &of("http_req_duration: p(95)<3600000 in 100% of windows of 2s")["objective"];
    // Five seconds of load: two windows, and half of one.
    assert_eq!(
        (&objective["windows"], &objective["held"]),
        (&3.into(), &3.into())
    );
    let objective = &of("http_req_failed: rate<0.5 in 10% of windows of 1s")["objective"];
    assert_eq!(objective["windows"], 5);
    assert_eq!(objective["budget_used"], 0.0);
    // Trends are kept in windows that end where something that is judged does.
    let text = bench.floodgate(&["show", &summary.execution]).stdout();
    assert!(
        text.contains("the first 1.0 s are measured and not judged"),
        "{text}"
    );
    assert!(text.contains("held in 3 of 3 windows of 2 s"), "{text}");
}

#[test]
fn what_comes_before_its_part_does_not_stop_a_run() {
    let (bench, target) = (Bench::new(), TestServer::start(Config::fast()).unwrap());
    let thresholds =
        "thresholds:\n  http_reqs: [{ threshold: count<30, from: 3s, abortOnFail: true }]\n";
    let (ended, summary) = bench.run(
        &arrivals(&target.url(), 50, "60s", thresholds),
        &["--generators", "2"],
    );
    ended.expect(99);
    // As many requests as stop it come in the first second.
    assert!(
        summary.duration_s > 3.0 && summary.duration_s < 40.0,
        "{}",
        summary.duration_s
    );
    assert!(
        summary.reasons[0].contains("and stopped the run"),
        "{:?}",
        summary.reasons
    );
}

#[test]
fn a_part_without_data_does_not_pass_and_short_runs_have_no_slope() {
    let (bench, target) = (Bench::new(), TestServer::start(Config::fast()).unwrap());
    let judged = concat!(
        "thresholds:\n",
        "  \"http_req_duration{name:nobody}\": [{ threshold: p(95)<3600000, from: 1s }]\n",
        "  http_req_duration: trend(p(95))<100%/h\n",
    );
    let (ended, summary) = bench.run(&arrivals(&target.url(), 20, "2s", judged), &[]);
    ended.expect(98);
    let said = summary.reasons.join("\n");
    assert!(
        said.contains("no data for the threshold http_req_duration{name:nobody}"),
        "{said}"
    );
    assert!(said.contains("a slope takes 10 minutes of load"), "{said}");
    let thresholds = &summary.metrics["http_req_duration"].thresholds;
    assert!(!thresholds["trend(p(95))<100%/h"].ok);
}
