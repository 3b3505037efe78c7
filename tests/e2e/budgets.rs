//! `floodgate budget`: runs are refused that may cost too much, and none starts while its project is halted.

use crate::serve::{ADMIN, TESTER, ask, serve};
use crate::support::*;
use floodgate_testserver::{Config, TestServer};
use serde_json::{Value, json};

fn state(bench: &Bench) -> Value {
    let shown = bench.floodgate(&["budget", "show", "--project", "e2e", "--json"]);
    serde_json::from_str(&shown.expect(0).stdout()).unwrap()
}

fn set(bench: &Bench, bounds: &[&str]) {
    let set = ["budget", "set", "--project", "e2e"];
    bench.floodgate(&[&set, bounds].concat()).expect(0);
}

#[test]
fn a_run_beyond_the_budget_is_refused_and_what_ran_is_settled() {
    let (bench, target) = (Bench::new(), TestServer::start(Config::fast()).unwrap());
    bench.write("test.yaml", &arrivals(&target.url(), 20, "1s", ""));
    set(&bench, &["--run-vu-hours", "0.00001", "--month-usd", "7"]);
    let refused = bench.floodgate(&["run", "test.yaml"]);
    refused.expect(97);
    let said = refused.stderr();
    for told in [
        "the run may take",
        "at most 0 VU hours",
        "floodgate budget set --project e2e --run-vu-hours N",
    ] {
        assert!(said.contains(told), "{told}: {said}");
    }
    assert_eq!(target.counters().requests(), 0);
    bench.floodgate(&["runs"]).expect(0);
    set(&bench, &["--run-vu-hours", "none", "--month-vu-hours", "1"]);
    bench.floodgate(&["run", "test.yaml", "--quiet"]).expect(0);
    let after = state(&bench);
    assert_eq!(after["a_month"], json!({"usd": 7.0, "vu_hours": 1.0}));
    assert_eq!(after["a_run"], json!({"usd": null, "vu_hours": null}));
    assert_eq!(
        (&after["runs"], &after["halted"]),
        (&json!([]), &Value::Null)
    );
    let spent = after["spent"]["vu_hours"].as_f64().unwrap();
    assert!(spent > 0.0, "{after}");
    let left = after["left"]["vu_hours"].as_f64().unwrap();
    assert!((left + spent - 1.0).abs() < 1e-9, "{after}");
    bench.floodgate(&["budget", "set"]).refused("--run-usd");
    bench
        .floodgate(&["budget", "set", "--month-usd=-1"])
        .refused("or none");
    bench
        .floodgate(&["budget", "clear", "--project", "e2e"])
        .expect(0);
    assert_eq!(state(&bench)["a_month"]["vu_hours"], Value::Null);
    let listed = bench.floodgate(&["audit", "list", "--project", "e2e"]);
    let listed = listed.expect(0).stdout();
    assert!(listed.contains("a month: $7 and 1 VU hours"), "{listed}");
    bench.floodgate(&["audit", "verify"]).expect(0);
}

#[test]
fn while_it_is_halted_nothing_starts_and_what_runs_can_be_stopped() {
    let (bench, target) = (Bench::new(), TestServer::start(Config::fast()).unwrap());
    bench.write("test.yaml", &arrivals(&target.url(), 5, "60s", ""));
    let running = bench.spawn(&["run", "test.yaml", "--quiet"]);
    eventually("load", || target.counters().requests() > 0);
    let halt = [
        "budget",
        "halt",
        "--all",
        "--why",
        "too loud",
        "--stop-runs",
    ];
    let halted = bench.floodgate(&halt);
    let said = halted.expect(0).stdout();
    assert!(
        said.starts_with("all projects: nothing starts from now on\n")
            && said.ends_with("1 run told to stop\n"),
        "{said}"
    );
    running.end().expect(105);
    let refused = bench.floodgate(&["run", "test.yaml"]);
    refused.expect(97);
    let why = refused.stderr();
    assert!(
        why.contains("nothing starts in any project") && why.contains("(too loud)"),
        "{why}"
    );
    bench.floodgate(&["budget", "resume", "--all"]).expect(0);
    bench.floodgate(&["audit", "verify"]).expect(0);
    assert_eq!(
        state(&bench)["runs"],
        json!([]),
        "what was stopped holds nothing"
    );
}

#[test]
fn over_http_admins_set_budgets_and_refusals_say_why() {
    let (bench, target) = (Bench::new(), TestServer::start(Config::fast()).unwrap());
    let (_running, port) = serve(&bench, &[]);
    let project = "/v1/projects/e2e";
    let put = |token: &str, what: &str, body: Value| {
        ask(port, token, "PUT", &format!("{project}/{what}"), &body)
    };
    let start = || {
        let body = json!({"definition": arrivals(&target.url(), 20, "1s", "")});
        ask(
            port,
            TESTER,
            "POST",
            &format!("{project}/executions"),
            &body,
        )
    };
    let tiny = json!({"a_month": {"vu_hours": 0.00001}});
    assert_eq!(put(TESTER, "budget", tiny.clone()).0, 403);
    let (status, set) = put(ADMIN, "budget", tiny);
    assert_eq!((status, &set["by"]), (200, &json!("lead")), "{set}");
    let (status, refused) = start();
    let detail = refused["detail"].as_str().unwrap();
    assert!(
        status == 409 && detail.contains("--month-vu-hours"),
        "{status} {detail}"
    );
    assert_eq!(put(ADMIN, "budget", json!({})).0, 200);
    let (status, halted) = put(ADMIN, "halt", json!({"halted": true, "why": "quiet hours"}));
    assert_eq!(
        (status, &halted["halted"]["why"]),
        (200, &json!("quiet hours"))
    );
    let (status, refused) = start();
    let detail = refused["detail"].as_str().unwrap();
    assert!(
        status == 409 && detail.contains("lead halted it (quiet hours)"),
        "{detail}"
    );
    assert_eq!(put(ADMIN, "halt", json!({"halted": false})).0, 200);
    assert_eq!(start().0, 201);
    let (status, _) = put(ADMIN, "budget", json!({"a_run": {"usd": -1}}));
    assert_eq!(status, 422);
}
