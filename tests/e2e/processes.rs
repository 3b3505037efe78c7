//! Processes that end before their time.

use crate::support::*;
use floodgate_core::execution::manifest::Manifest;
use floodgate_core::execution::record::Status;
use floodgate_target::{Config, Target};

/// Starts a run of 30 s and waits until load is sent.
fn long_run(bench: &Bench, target: &Target, more: &[&str]) -> Running {
    let thresholds = "thresholds:\n  http_req_failed: [rate==0]\n";
    bench.write("test.yaml", &arrivals(&target.url(), 50, "30s", thresholds));
    let args: Vec<&str> = ["run", "test.yaml", "--json"]
        .into_iter()
        .chain(more.iter().copied())
        .collect();
    let running = bench.spawn(&args);
    eventually("load is sent", || target.counters().requests() >= 20);
    running
}

#[test]
fn a_signal_stops_in_order_and_keeps_what_was_measured() {
    for (signal, generators) in [("INT", "1"), ("TERM", "2")] {
        let (bench, target) = (Bench::new(), Target::start(Config::fast()).unwrap());
        let running = long_run(&bench, &target, &["--generators", generators]);
        running.signal(signal);
        let ended = running.end();
        let summary = ended.expect(105).summary();
        assert_eq!(summary.status, Status::Aborted);
        assert_eq!(summary.reasons, [format!("stopped by SIG{signal}")]);
        assert_eq!(
            value(&summary, "http_reqs", "count"),
            target.counters().requests() as f64
        );
        assert!(summary.completeness.tasks_lost.is_empty());
    }
}

#[test]
fn a_second_signal_ends_at_once_and_leaves_no_process() {
    let (bench, target) = (Bench::new(), Target::start(Config::fast()).unwrap());
    let running = long_run(&bench, &target, &["--generators", "2"]);
    let children = running.children();
    assert_eq!(children.len(), 2);
    // Stopped processes do not hear the first order, so that the second signal surely comes before the end.
    children.iter().for_each(|&c| signal(c, "STOP"));
    running.signal("INT");
    std::thread::sleep(std::time::Duration::from_millis(500));
    running.signal("INT");
    let ended = running.end();
    ended.expect(105);
    assert!(ended.stdout().is_empty());
    assert!(ended.stderr().contains("unmerged"), "{}", ended.stderr());
    children.iter().for_each(|&c| signal(c, "CONT"));
    eventually("the generators are gone", || {
        !children.iter().any(|&c| is_alive(c))
    });
    let runs: serde_json::Value =
        serde_json::from_str(&bench.floodgate(&["runs", "--json"]).stdout()).unwrap();
    assert_eq!(runs[0]["status"], "aborted");
}

#[test]
fn a_killed_generator_is_seen_and_the_rest_is_kept() {
    let (bench, target) = (Bench::new(), Target::start(Config::fast()).unwrap());
    let running = long_run(&bench, &target, &["--generators", "2"]);
    let victim = running.children()[1];
    signal(victim, "KILL");
    let ended = running.end();
    let summary = ended.expect(98).summary();
    assert_eq!(summary.status, Status::Inconclusive);
    assert_eq!(
        (
            summary.completeness.tasks_reported,
            summary.completeness.tasks_lost.len()
        ),
        (1, 1)
    );
    assert!(
        summary
            .warnings
            .iter()
            .any(|w| w.contains("killed (signal 9")),
        "{:?}",
        summary.warnings
    );
    assert_eq!(summary.completeness.tasks_lost, [1]);
    // Of the 20 requests before the kill at least 9 were the other's.
    let merged = value(&summary, "http_reqs", "count");
    let sent = target.counters().requests() as f64;
    assert!((9.0..=sent).contains(&merged), "{merged} of {sent}");
}

#[test]
fn generators_do_not_outlive_their_coordinator() {
    let (bench, target) = (Bench::new(), Target::start(Config::fast()).unwrap());
    let running = long_run(&bench, &target, &["--generators", "2"]);
    let children = running.children();
    running.signal("KILL");
    drop(running);
    eventually("the generators are gone", || {
        !children.iter().any(|&c| is_alive(c))
    });
    let manifests = files(&bench.path(".floodgate"), "/tasks/");
    assert_eq!(
        manifests.len(),
        2,
        "they wrote what they had: {manifests:?}"
    );
}

#[test]
fn abort_ends_a_run_that_has_nobody_left() {
    let (bench, target) = (Bench::new(), Target::start(Config::fast()).unwrap());
    let id = "01JD7Q3W5Z8X9Y0A1B2C3D4E5F";
    let running = long_run(&bench, &target, &["--generators", "2", "--id", id]);
    let children = running.children();
    let folder = bench.path(".floodgate");
    eventually("both generators have flushed once", || {
        files(&folder, "/shards/0000/").len() == 1 && files(&folder, "/shards/0001/").len() == 1
    });
    // Held up, so that none can react to the end of another.
    running.signal("STOP");
    children.iter().for_each(|&child| signal(child, "KILL"));
    running.signal("KILL");
    drop(running);
    eventually("the generators are gone", || {
        !children.iter().any(|&child| is_alive(child))
    });
    let record = || -> serde_json::Value {
        let runs = bench.floodgate(&["runs", "--json"]).stdout();
        serde_json::from_str::<serde_json::Value>(&runs).unwrap()[0].clone()
    };
    assert_eq!(record()["status"], "running");
    let aborted = bench.floodgate(&["abort", id]);
    assert!(aborted.expect(0).stdout().contains("aborted"));
    assert_eq!(record()["status"], "aborted");
    let summary = bench.floodgate(&["show", id, "--json"]).summary();
    assert_eq!(summary.reasons, ["stopped by ann"]);
    assert_eq!(summary.completeness.tasks_lost, [0, 1]);
    assert_eq!(summary.completeness.shards_merged, 2);
    // Ten seconds of 50 a second, but for requests under way at their end; what came after the flush is lost.
    let merged = value(&summary, "http_reqs", "count");
    assert!((490.0..=500.0).contains(&merged), "{merged}");
    assert!(target.counters().requests() as f64 >= merged);
}

#[test]
fn abort_stops_a_run_from_outside() {
    let (bench, target) = (Bench::new(), Target::start(Config::fast()).unwrap());
    let id = "01JD7Q3W5Z8X9Y0A1B2C3D4E5F";
    let running = long_run(&bench, &target, &["--id", id]);
    assert!(
        bench
            .floodgate(&["abort", id])
            .expect(0)
            .stdout()
            .contains("aborted")
    );
    let summary = running.end().expect(105).summary();
    assert_eq!(summary.reasons, ["stopped by ann"]);
    assert!(
        bench
            .floodgate(&["abort", id])
            .expect(104)
            .stderr()
            .contains("has ended already")
    );
}

#[test]
fn a_breach_with_abort_on_fail_ends_the_run_early() {
    let (bench, target) = (Bench::new(), Target::start(Config::fast()).unwrap());
    let thresholds = "thresholds:\n  http_reqs: [{ threshold: count<30, abortOnFail: true }]\n";
    let (ended, summary) = bench.run(
        &arrivals(&target.url(), 50, "60s", thresholds),
        &["--generators", "2"],
    );
    ended.expect(99);
    assert!(summary.duration_s < 30.0, "{}", summary.duration_s);
    assert!(target.counters().requests() >= 30);
}

#[test]
fn a_generator_that_stood_still_says_for_how_long() {
    let (bench, target) = (Bench::new(), Target::start(Config::fast()).unwrap());
    let looping = arrivals(&target.url(), 50, "4s", "")
        .replace("constant-arrival-rate", "constant-vus")
        .replace("    rate: 50\n", "")
        .replace("    preAllocatedVUs: 10\n    maxVUs: 50\n", "    vus: 2\n");
    bench.write("test.yaml", &looping);
    let running = bench.spawn(&["run", "test.yaml", "--json", "--generators", "2"]);
    eventually("load is sent", || target.counters().requests() >= 20);
    let held = running.children()[1];
    signal(held, "STOP");
    std::thread::sleep(std::time::Duration::from_secs(1));
    signal(held, "CONT");
    running.end();
    let manifests = files(&bench.path(".floodgate"), "/tasks/");
    assert_eq!(manifests.len(), 2);
    let longest = |path: &std::path::PathBuf| {
        let text = std::fs::read(path).unwrap();
        serde_json::from_slice::<Manifest>(&text)
            .unwrap()
            .health
            .standstill_max_us
    };
    // It looks every 20 ms.
    assert!(manifests.iter().map(longest).max().unwrap() >= 970_000);
}
