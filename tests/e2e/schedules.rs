//! `floodgate schedule` and `serve`: tests start by the clock.

use crate::serve::{ADMIN, TESTER, ask, in_seconds, serve};
use crate::support::*;
use floodgate_testserver::{Config, TestServer};
use serde_json::{Value, json};

fn shown(bench: &Bench, name: &str) -> Value {
    let shown = bench.floodgate(&["schedule", "show", name, "--json"]);
    serde_json::from_str(&shown.expect(0).stdout()).unwrap()
}

#[test]
fn what_is_due_runs_while_the_service_does_and_a_window_leaves_it_out() {
    let (bench, target) = (Bench::new(), TestServer::start(Config::fast()).unwrap());
    bench.write("test.yaml", &arrivals(&target.url(), 20, "1s", ""));
    bench.floodgate(&["run", "test.yaml", "--quiet"]).expect(0);
    let add = |name: &str, when: &str, more: &[&str]| {
        let add = ["schedule", "add", name, when, "--test", "arrivals"];
        bench.floodgate(&[&add, more].concat())
    };
    let soon = in_seconds(4);
    add("e2e/soon", &soon, &["--set", "scenarios.one.rate=30"]).expect(0);
    add("e2e/never", &soon, &["--blackout", "daily 00:00-24:00"]).expect(0);
    add("e2e/resting", &soon, &["--paused"]).expect(0);
    add("e2e/soon", &soon, &[]).refused("--replace");
    add("e2e/odd", "cron(0 2 * * *)", &[]).refused("5 fields");
    add("e2e/odd", "rate(1 day)", &["--timezone", "Mars/Base"]).refused("time zone");
    add("e2e/odd", "rate(1 day)", &["--blackout", "monday 9-5"]).refused("is not a window");
    add("e2e/odd", "rate(1 day)", &["--version", "../../x"]).refused("is not a version; give");
    add("e2e/odd", "rate(1 day)", &["-e", "PATH=/x"]).refused("that processes obey");
    add("e2e/odd", "at(2020-01-01T00:00:00)", &[]).refused("has no time from now on");
    let (_running, _) = serve(&bench, &[]);
    eventually("both to be due", || {
        let is_done = |name| shown(&bench, name)["last"] != json!([]);
        is_done("e2e/soon") && is_done("e2e/never")
    });
    let started = shown(&bench, "e2e/soon");
    let id = started["execution"]
        .as_str()
        .unwrap_or_else(|| panic!("{started}"));
    let skipped = shown(&bench, "e2e/never");
    let why = skipped["last"][0]["why"].as_str().unwrap();
    assert_eq!(why, "nothing starts in the window daily 00:00-24:00");
    assert_eq!(shown(&bench, "e2e/resting")["last"], json!([]));
    let record = || {
        let path = bench.path(&format!(".floodgate/.records/e2e/{id}.json"));
        let bytes = std::fs::read(path).unwrap_or_default();
        serde_json::from_slice::<Value>(&bytes).unwrap_or_default()
    };
    eventually("the verdict", || record()["status"] == "passed");
    let trigger = record()["trigger"].clone();
    assert_eq!(
        (&trigger["kind"], &trigger["principal"]),
        (&json!("schedule"), &json!("schedule/soon"))
    );
    assert_eq!(target.counters().requests(), 20 + 30);
    let listed = bench.floodgate(&["audit", "list", "--project", "e2e"]);
    let listed = listed.expect(0).stdout();
    assert!(
        listed.contains("schedule never: nothing starts in the window"),
        "{listed}"
    );
    let next = bench.floodgate(&["schedule", "next", "e2e/soon"]);
    assert_eq!(next.expect(0).stdout(), "");
    let of = |problem: &str, name: &str| {
        let why = shown(&bench, name)["problem"].clone();
        let why = why.as_str().unwrap_or_else(|| panic!("{name}"));
        assert!(why.contains(problem), "{name}: {why}");
    };
    of("has no time any more", "e2e/soon");
    of("has no time any more", "e2e/never");
    // What every start would be refused for is known before.
    for (name, more, problem) in [
        (
            "e2e/window",
            &["--blackout", "daily 00:00-24:00"][..],
            "lie in windows",
        ),
        (
            "e2e/parameter",
            &["--set", "nope=1"],
            "there is no parameter",
        ),
        (
            "e2e/sink",
            &["--set", "export=[\"file:x.csv\"]"],
            "writes no file",
        ),
        ("e2e/open", &["--set", "target=${env:SHOP}"], "SHOP"),
        (
            "e2e/version",
            &["--version", &"ab".repeat(32)],
            "is not on record here",
        ),
    ] {
        let added = add(name, "rate(1 day)", more).expect(0).stdout();
        assert!(added.contains("  never: "), "{added}");
        of(problem, name);
    }
    add(
        "e2e/secret",
        "rate(1 day)",
        &["--set", "target=https://${secret:SHOP}"],
    )
    .expect(0);
    let daytime = ["--blackout", "daily 01:00-24:00"];
    add("e2e/night", "rate(1 hour)", &daytime).expect(0);
    let night = shown(&bench, "e2e/night");
    assert_eq!(night["problem"], Value::Null, "{night}");
    for next in night["next_ms"].as_array().unwrap() {
        assert!(next.as_i64().unwrap() % 86_400_000 < 3_600_000, "{night}");
    }
    bench
        .floodgate(&["schedule", "remove", "e2e/soon"])
        .expect(0);
    bench
        .floodgate(&["schedule", "show", "e2e/soon"])
        .refused("there is no schedule");
    let rest = bench.floodgate(&["schedule", "list", "--project", "e2e"]);
    let rest = rest.expect(0).stdout();
    assert!(rest.starts_with("e2e/never: arrivals, at("), "{rest}");
    bench.floodgate(&["audit", "verify"]).expect(0);
}

#[test]
fn over_http_admins_write_schedules() {
    let bench = Bench::new();
    let (_running, port) = serve(&bench, &[]);
    let path = "/v1/projects/e2e/schedules/nightly";
    let nightly = json!({"test": "home", "expression": "cron(0 2 * * ? *)", "timezone": "Europe/Berlin", "overlap": "replace"});
    assert_eq!(ask(port, TESTER, "PUT", path, &nightly).0, 403);
    let (status, written) = ask(port, ADMIN, "PUT", path, &nightly);
    assert_eq!(
        (status, &written["schedule"]["by"]),
        (200, &json!("lead")),
        "{written}"
    );
    assert_eq!(written["next_ms"].as_array().unwrap().len(), 5);
    let problem = written["problem"].as_str().unwrap();
    assert!(problem.contains("has not run here yet"), "{problem}");
    for (key, value, part) in [
        ("version", json!("../../x"), "is not a version"),
        ("test", json!("../x"), "slash"),
        ("environment", json!({"LD_PRELOAD": "x"}), "processes obey"),
        (
            "expression",
            json!("at(2020-01-01T00:00:00)"),
            "no time from now on",
        ),
    ] {
        let mut odd = nightly.clone();
        odd[key] = value;
        let (status, answer) = ask(port, ADMIN, "PUT", path, &odd);
        let detail = answer["detail"].as_str().unwrap_or_default();
        assert!(status == 422 && detail.contains(part), "{answer}");
    }
    let (status, refused) = ask(
        port,
        ADMIN,
        "PUT",
        path,
        &json!({"test": "home", "expression": "daily"}),
    );
    let detail = refused["detail"].as_str().unwrap();
    assert!(status == 422 && detail.contains("write cron("), "{detail}");
    let (status, listed) = ask(
        port,
        TESTER,
        "GET",
        "/v1/projects/e2e/schedules",
        &Value::Null,
    );
    assert_eq!(
        (status, &listed[0]["schedule"]["overlap"]),
        (200, &json!("replace"))
    );
    assert_eq!(ask(port, ADMIN, "DELETE", path, &Value::Null).0, 204);
    assert_eq!(ask(port, TESTER, "GET", path, &Value::Null).0, 404);
}
