//! Runs against a target that behaves.

use crate::support::*;
use floodgate_records::comparison::Change;
use floodgate_records::status::Status;
use floodgate_testserver::{Config, TestServer};

#[test]
fn a_run_passes_sends_exactly_what_was_planned_and_can_be_shown_again() {
    let (bench, target) = (Bench::new(), TestServer::start(Config::fast()).unwrap());
    let thresholds = "thresholds:\n  http_req_failed: [rate==0]\n  http_reqs: [count==100]\n";
    let (ended, summary) = bench.run(
        &arrivals(&target.url(), 50, "2s", thresholds),
        &["--junit", "report.xml"],
    );
    ended.expect(0);
    assert_eq!(summary.status, Status::Passed, "{:?}", summary.reasons);
    assert_eq!(target.counters().requests(), 100);
    assert_eq!(value(&summary, "http_reqs", "count"), 100.0);
    assert_eq!(value(&summary, "iterations", "count"), 100.0);
    let shown = bench.floodgate(&["show", &summary.execution[..10], "--json"]);
    assert_eq!(
        shown.expect(0).stdout(),
        ended.stdout(),
        "the same bytes, then and now"
    );
    let table = bench
        .floodgate(&["show", &summary.execution])
        .expect(0)
        .stdout();
    assert!(
        table.contains("PASSED") && table.contains("http_reqs"),
        "{table}"
    );
    assert!(
        bench
            .floodgate(&["runs"])
            .expect(0)
            .stdout()
            .contains(&summary.execution)
    );
    let xml = std::fs::read_to_string(bench.path("report.xml")).unwrap();
    let report = quick_junit::Report::deserialize_from_str(&xml).unwrap();
    let suite = &report.test_suites[0];
    assert!(
        suite.test_cases.len() >= 2,
        "a case for each threshold: {xml}"
    );
    let passed = |case: &quick_junit::TestCase| {
        matches!(case.status, quick_junit::TestCaseStatus::Success { .. })
    };
    assert!(suite.test_cases.iter().all(passed), "{xml}");
    let schema: serde_json::Value =
        serde_json::from_str(&bench.floodgate(&["schema", "--summary"]).expect(0).stdout())
            .unwrap();
    let json: serde_json::Value = serde_json::from_str(&ended.stdout()).unwrap();
    assert!(
        jsonschema::is_valid(&schema, &json),
        "the summary is of the published schema"
    );
}

#[test]
fn a_breach_exits_with_99() {
    let (bench, target) = (Bench::new(), TestServer::start(Config::fast()).unwrap());
    let (ended, summary) = bench.run(
        &arrivals(
            &target.url(),
            20,
            "1s",
            "thresholds:\n  http_reqs: [count>1000]\n",
        ),
        &["--junit", "report.xml"],
    );
    ended.expect(99);
    assert_eq!(summary.status, Status::Failed);
    let xml = std::fs::read_to_string(bench.path("report.xml")).unwrap();
    let report = quick_junit::Report::deserialize_from_str(&xml).unwrap();
    let failed = |case: &&quick_junit::TestCase| {
        matches!(case.status, quick_junit::TestCaseStatus::NonSuccess { .. })
    };
    let failed: Vec<_> = report.test_suites[0]
        .test_cases
        .iter()
        .filter(failed)
        .collect();
    assert!(
        failed
            .iter()
            .any(|case| case.name.as_str().contains("count>1000")),
        "{xml}"
    );
    assert!(!summary.metrics["http_reqs"].thresholds["count>1000"].ok);
}

#[test]
fn a_threshold_without_data_is_inconclusive() {
    let (bench, target) = (Bench::new(), TestServer::start(Config::fast()).unwrap());
    let thresholds = "thresholds:\n  \"http_req_duration{name:nowhere}\": [p(95)<500]\n";
    bench
        .run(&arrivals(&target.url(), 20, "1s", thresholds), &[])
        .0
        .expect(98);
}

#[test]
fn several_generators_together_send_what_one_would() {
    let (bench, target) = (Bench::new(), TestServer::start(Config::fast()).unwrap());
    let (ended, summary) = bench.run(
        &arrivals(&target.url(), 50, "2s", ""),
        &["--generators", "3"],
    );
    ended.expect(0);
    assert_eq!(target.counters().requests(), 100);
    assert_eq!(value(&summary, "http_reqs", "count"), 100.0);
    assert_eq!(
        (
            summary.completeness.tasks_expected,
            summary.completeness.tasks_reported
        ),
        (3, 3)
    );
}

#[test]
fn values_given_with_env_reach_every_generator() {
    let (bench, target) = (Bench::new(), TestServer::start(Config::service()).unwrap());
    let definition = arrivals(
        "${env:SHOP}",
        10,
        "1s",
        "        checks: [status == 200]\nthresholds:\n  checks: [rate==1]\n",
    );
    let setting = format!("SHOP={}", target.url());
    let (ended, summary) = bench.run(
        &definition,
        &[
            "--generators",
            "2",
            "--env",
            &setting,
            "--set",
            "scenarios.one.rate=20",
        ],
    );
    ended.expect(0);
    assert_eq!(value(&summary, "http_reqs", "count"), 20.0);
    let record = &files(&bench.path(".floodgate"), &summary.execution)[..];
    for file in record
        .iter()
        .filter(|f| f.extension().is_some_and(|e| e == "json"))
    {
        let text = std::fs::read_to_string(file).unwrap();
        let resolved = text.contains(&target.url());
        // Record and summary say where the load went, as far as that is not a secret; definition and plan stay as written.
        let is_record = file.components().any(|part| part.as_os_str() == ".records");
        let is_summary = file.file_name().is_some_and(|name| name == "summary.json");
        assert_eq!(resolved, is_record || is_summary, "{}", file.display());
    }
}

#[test]
fn hit_counts_every_request() {
    let (bench, target) = (Bench::new(), TestServer::start(Config::fast()).unwrap());
    let ended = bench.floodgate(&["hit", &target.url(), "-n", "500", "-c", "4", "--json"]);
    let summary = ended.expect(0).summary();
    assert_eq!(
        (
            target.counters().requests(),
            value(&summary, "http_reqs", "count")
        ),
        (500, 500.0)
    );
    let ended = bench.floodgate(&["hit", &target.url(), "-r", "50", "-d", "2", "--quiet"]);
    assert!(ended.expect(0).stdout().contains("done"));
    assert!(ended.stderr().is_empty(), "{}", ended.stderr());
    assert_eq!(target.counters().requests(), 600);
}

#[test]
fn a_closed_loop_that_takes_all_cpu_has_answered_the_question() {
    let (bench, target) = (Bench::new(), TestServer::start(Config::fast()).unwrap());
    let ended = bench.floodgate(&["hit", &target.url(), "-c", "32", "-d", "3", "--json"]);
    // Whether the loop saturates the generator depends on the machine; the exit code does not.
    let summary = ended.expect(0).summary();
    assert!([Status::Passed, Status::Inconclusive].contains(&summary.status));
    if summary.status == Status::Inconclusive {
        assert!(
            summary.warnings.iter().any(|w| w.contains("generator")),
            "{summary:#?}"
        );
    }
}

#[test]
fn the_resolved_target_is_shown_and_no_secret() {
    let (bench, target) = (Bench::new(), TestServer::start(Config::service()).unwrap());
    let definition = arrivals(
        "${param:shop}${secret:path}",
        10,
        "1s",
        "        expect: 400\nparameters: { shop: http://x }\nrun: { tasks: 2 }\n",
    );
    bench.write("test.yaml", &definition);
    std::fs::create_dir_all(bench.path(".floodgate/secrets")).unwrap();
    bench.write(".floodgate/secrets/path", "/status");
    let shop = format!("shop={}", target.url());
    let ended = bench.floodgate(&["run", "test.yaml", "--set", &shop]);
    // Long lines are broken between words.
    let flat = |text: String| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let (out, err) = (flat(ended.expect(0).stdout()), flat(ended.stderr()));
    let shown = format!("{}${{secret:path}}", target.url());
    for text in [&out, &err] {
        assert!(text.contains(&shown), "{text}");
        assert!(!text.contains("/status"), "{text}");
        assert!(
            text.contains("run.tasks: has no effect in a local run"),
            "{text}"
        );
    }
    assert_eq!(target.counters().path("/status/"), 10);
}

#[test]
fn hit_sends_method_headers_and_body() {
    let (bench, target) = (Bench::new(), TestServer::start(Config::service()).unwrap());
    bench.write("body.json", "{\"sku\": \"a-1\"}");
    let url = format!("{}/api/checkout", target.url());
    let args = [
        "hit",
        &url,
        "-n",
        "3",
        "-c",
        "1",
        "-b",
        "@body.json",
        "-H",
        "Content-Type: application/json",
        "--json",
    ];
    let summary = bench.floodgate(&args).expect(0).summary();
    assert_eq!(value(&summary, "http_req_failed", "rate"), 0.0);
    assert_eq!(target.counters().path("/api/checkout"), 3);
}

#[test]
fn one_id_starts_one_run() {
    let (bench, target) = (Bench::new(), TestServer::start(Config::fast()).unwrap());
    let id = "01JD7Q3W5Z8X9Y0A1B2C3D4E5F";
    let definition = arrivals(&target.url(), 10, "1s", "");
    let (first, _) = bench.run(&definition, &["--id", id]);
    let said = bench
        .floodgate(&["run", "test.yaml", "--id", id])
        .expect(104)
        .stderr();
    assert!(
        said.contains(id) && said.contains("exists already"),
        "{said}"
    );
    assert_eq!(
        target.counters().requests(),
        10,
        "the second run sends nothing"
    );
    assert_eq!(
        bench.floodgate(&["show", id, "--json"]).expect(0).stdout(),
        first.stdout()
    );
}

#[test]
fn of_two_runs_with_one_id_at_the_same_time_one_is_carried_out() {
    let (bench, target) = (Bench::new(), TestServer::start(Config::fast()).unwrap());
    let id = "01JD7Q3W5Z8X9Y0A1B2C3D4E5F";
    bench.write("test.yaml", &arrivals(&target.url(), 10, "1s", ""));
    let args = ["run", "test.yaml", "--id", id, "--json"];
    let running = [(); 4].map(|()| bench.spawn(&args));
    let ended = running.map(Running::end);
    let codes = |code| ended.iter().filter(|e| e.code() == Some(code)).count();
    assert_eq!((codes(0), codes(104)), (1, 3));
    for refused in ended.iter().filter(|e| e.code() == Some(104)) {
        assert!(
            refused.stderr().contains("exists already"),
            "{}",
            refused.stderr()
        );
    }
    assert_eq!(target.counters().requests(), 10);
}

#[test]
fn a_misspelt_id_gets_the_right_one_and_a_damaged_record_is_named() {
    let (bench, target) = (Bench::new(), TestServer::start(Config::fast()).unwrap());
    let (_, summary) = bench.run(&arrivals(&target.url(), 10, "1s", ""), &[]);
    let misspelt = format!("{}!", &summary.execution[..25]);
    let said = bench.floodgate(&["show", &misspelt]).expect(104).stderr();
    assert!(
        said.contains(&format!("did you mean {}?", summary.execution)),
        "{said}"
    );
    let record = files(&bench.path(".floodgate/.records"), &summary.execution).remove(0);
    std::fs::write(&record, "{\"schema\": 1,").unwrap();
    let said = bench
        .floodgate(&["show", &summary.execution])
        .expect(97)
        .stderr();
    assert!(
        said.contains(&summary.execution) && said.contains("record"),
        "{said}"
    );
}

#[test]
fn progress_goes_to_stderr_in_plain_lines() {
    let (bench, target) = (Bench::new(), TestServer::start(Config::fast()).unwrap());
    bench.write("test.yaml", &arrivals(&target.url(), 20, "6s", ""));
    let ended = bench.floodgate(&["run", "test.yaml"]);
    let said = ended.expect(0).stderr();
    assert!(
        said.contains("5s / 6s") && said.contains("floodgate show "),
        "{said}"
    );
    assert!(!said.contains('\u{1b}'), "no escape sequences in a log");
}

#[test]
fn two_targets_are_loaded_in_turns_and_compared() {
    let bench = Bench::new();
    let [head, base] = [(); 2].map(|()| TestServer::start(Config::fast()).unwrap());
    let (ended, summary) = bench.run(
        &arrivals(&head.url(), 20, "10s", ""),
        &["--against", &base.url(), "--generators", "2"],
    );
    // Ten seconds decide nothing, which is said and no failure.
    ended.expect(0);
    let requests = [&head, &base].map(|target| target.counters().requests());
    assert_eq!(requests, [100, 100]);
    let found = summary.comparison.unwrap();
    assert!(found.in_turns && found.gates.len() == 3, "{found:#?}");
    assert_eq!(found.base, found.head, "both are this run");
    assert_eq!(found.outcome, Change::Undecided);
    let said = summary.warnings.join("; ");
    assert!(said.contains("undecided against the baseline"), "{said}");

    let shown = bench.floodgate(&["show", &summary.execution]);
    let shown = shown.expect(0).stdout();
    assert!(shown.contains("base and head in turns"), "{shown}");
}
