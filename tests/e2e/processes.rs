//! Processes that end before their time.

use crate::serve::{TESTER, ask, serve};
use crate::support::*;
use floodgate_records::manifest::Manifest;
use floodgate_records::status::Status;
use floodgate_testserver::{Config, TestServer};

/// Starts a run of 30 s and waits until load is sent.
fn long_run(bench: &Bench, target: &TestServer, more: &[&str]) -> Running {
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
    for (signal, generators) in [("INT", "1"), ("TERM", "2"), ("HUP", "1"), ("HUP", "2")] {
        let (bench, target) = (Bench::new(), TestServer::start(Config::fast()).unwrap());
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
        let trail = bench.path(".floodgate/.records/e2e/audit.jsonl");
        let trail = std::fs::read_to_string(trail).unwrap();
        let said = format!("stop ordered by SIG{signal}");
        assert!(trail.contains(&said), "{trail}");
    }
}

#[test]
fn a_terminal_that_goes_away_says_so_more_than_once_and_what_was_measured_is_kept() {
    let (bench, target) = (Bench::new(), TestServer::start(Config::fast()).unwrap());
    let running = long_run(&bench, &target, &["--generators", "2"]);
    let children = running.children();
    // Stopped processes end after the second signal.
    children.iter().for_each(|&c| signal(c, "STOP"));
    running.signal("HUP");
    std::thread::sleep(std::time::Duration::from_millis(300));
    running.signal("HUP");
    std::thread::sleep(std::time::Duration::from_millis(300));
    children.iter().for_each(|&c| signal(c, "CONT"));
    let summary = running.end().expect(105).summary();
    assert_eq!(summary.reasons, ["stopped by SIGHUP"]);
    assert!(summary.completeness.tasks_lost.is_empty());
}

#[test]
fn a_hang_up_that_is_ignored_stays_ignored() {
    let (bench, target) = (Bench::new(), TestServer::start(Config::fast()).unwrap());
    bench.write("test.yaml", &arrivals(&target.url(), 50, "2s", ""));
    // As under nohup.
    let running = bench.spawn_limited("trap '' HUP", &["run", "test.yaml", "--json"]);
    eventually("load is sent", || target.counters().requests() >= 10);
    running.signal("HUP");
    assert_eq!(running.end().expect(0).summary().status, Status::Passed);
}

#[test]
fn a_second_signal_ends_at_once_and_leaves_no_process() {
    let (bench, target) = (Bench::new(), TestServer::start(Config::fast()).unwrap());
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
    let (bench, target) = (Bench::new(), TestServer::start(Config::fast()).unwrap());
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
    let (bench, target) = (Bench::new(), TestServer::start(Config::fast()).unwrap());
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
    let (bench, target) = (Bench::new(), TestServer::start(Config::fast()).unwrap());
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
    let aborted = bench.floodgate(&["abort", id]);
    assert!(aborted.expect(0).stdout().contains("aborted"));
    assert_eq!(newest(&bench)["status"], "aborted");
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
    let (bench, target) = (Bench::new(), TestServer::start(Config::fast()).unwrap());
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
    let (bench, target) = (Bench::new(), TestServer::start(Config::fast()).unwrap());
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
    let (bench, target) = (Bench::new(), TestServer::start(Config::fast()).unwrap());
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

/// Kills the coordinator of a run, and waits until its generators have ended by themselves.
fn kill_coordinator(running: Running) {
    let children = running.children();
    running.signal("KILL");
    drop(running);
    eventually("the generators are gone", || {
        !children.iter().any(|&c| is_alive(c))
    });
}

#[test]
fn whoever_meets_a_run_without_a_coordinator_finishes_it() {
    let (bench, target) = (Bench::new(), TestServer::start(Config::fast()).unwrap());
    kill_coordinator(long_run(&bench, &target, &["--generators", "2"]));
    let listed = bench.floodgate(&["runs", "--json"]);
    let runs: serde_json::Value = serde_json::from_str(&listed.stdout()).unwrap();
    assert_eq!(runs[0]["status"], "errored", "{runs}");
    let said = listed.stderr();
    assert!(said.contains("its coordinator is gone"), "{said}");
    let id = runs[0]["id"].as_str().unwrap();
    let summary = bench.floodgate(&["show", id, "--json"]).expect(0).summary();
    assert_eq!(summary.completeness.tasks_reported, 2);
    let merged = value(&summary, "http_reqs", "count");
    assert_eq!(merged, target.counters().requests() as f64);
    // There is nothing left to stop, and nobody has stopped it.
    let said = bench.floodgate(&["abort", id]).expect(0).stdout();
    assert!(said.contains("finished from what its tasks"), "{said}");
}

#[test]
fn a_service_finishes_what_was_left_before_it_and_meanwhile() {
    let (bench, target) = (Bench::new(), TestServer::start(Config::fast()).unwrap());
    kill_coordinator(long_run(&bench, &target, &["--generators", "2"]));
    let (service, port) = serve(&bench, &[]);
    let path = "/v1/projects/e2e/executions";
    let statuses = || -> Vec<_> {
        let (_, listed) = ask(port, TESTER, "GET", path, &serde_json::Value::Null);
        // None where it is asked too often.
        let runs = listed["executions"].as_array().into_iter().flatten();
        runs.map(|run| run["status"].as_str().unwrap().to_owned())
            .collect()
    };
    eventually("the first is finished", || statuses() == ["errored"]);
    let target = TestServer::start(Config::fast()).unwrap();
    kill_coordinator(long_run(&bench, &target, &["--generators", "2"]));
    eventually("the second is finished", || {
        statuses() == ["errored", "errored"]
    });
    service.signal("TERM");
    service.end().expect(0);
}

#[test]
fn a_new_run_finishes_one_that_was_left_and_so_does_show() {
    for command in ["run", "show"] {
        let (bench, target) = (Bench::new(), TestServer::start(Config::fast()).unwrap());
        let id = "01JD7Q3W5Z8X9Y0A1B2C3D4E5F";
        // One process: nothing is left of it but what it had written.
        kill_coordinator(long_run(&bench, &target, &["--id", id]));
        let said = match command {
            "run" => {
                bench.write("short.yaml", &arrivals(&target.url(), 50, "1s", ""));
                bench.floodgate(&["run", "short.yaml"])
            }
            _ => bench.floodgate(&["show", id]),
        };
        let said = said.expect(0).stderr();
        assert!(
            said.contains(&format!("{id}: its coordinator is gone")),
            "{said}"
        );
        let record = bench.path(&format!(".floodgate/.records/e2e/{id}.json"));
        let record = std::fs::read_to_string(record).unwrap();
        assert!(record.contains("\"status\": \"errored\""), "{record}");
    }
}

#[test]
fn a_run_that_was_left_is_not_judged_by_values_that_nobody_knows() {
    let (bench, target) = (Bench::new(), TestServer::start(Config::fast()).unwrap());
    let rest = "    tags: { who: '${env:WHO}' }\n";
    bench.write("test.yaml", &arrivals(&target.url(), 50, "30s", rest));
    let running = bench.spawn(&["run", "test.yaml", "-e", "WHO=ann"]);
    eventually("load is sent", || target.counters().requests() >= 20);
    kill_coordinator(running);
    let record = newest(&bench);
    assert_eq!(record["status"], "errored");
    assert!(record["reasons"].to_string().contains("WHO"), "{record}");
}

#[test]
fn a_run_that_is_watched_is_left_alone() {
    let (bench, target) = (Bench::new(), TestServer::start(Config::fast()).unwrap());
    let running = long_run(&bench, &target, &["--generators", "2"]);
    running.signal("STOP");
    assert_eq!(newest(&bench)["status"], "running");
    running.signal("CONT");
    running.signal("INT");
    running.end().expect(105);
}

#[test]
fn streams_that_cannot_be_written_change_no_run() {
    for (setting, code, reported) in [
        ("exec 2>/dev/full", 0, false),
        ("exec >/dev/full", 97, true),
        ("exec 0<&- 1>&- 2>&-", 0, false),
    ] {
        let (bench, target) = (Bench::new(), TestServer::start(Config::fast()).unwrap());
        bench.write("test.yaml", &arrivals(&target.url(), 50, "1s", ""));
        let args = ["run", "test.yaml", "--generators", "2"];
        let ended = bench.spawn_limited(setting, &args).end();
        assert_eq!(ended.code(), Some(code), "{setting}: {}", ended.stderr());
        assert_eq!(ended.stderr().contains("the verdict is passed"), reported);
        assert_eq!(newest(&bench)["status"], "passed", "{setting}");
    }
}

#[test]
fn too_few_files_or_threads_are_told_before_anything_is_sent() {
    let (bench, target) = (Bench::new(), TestServer::start(Config::fast()).unwrap());
    bench.write("test.yaml", &arrivals(&target.url(), 50, "1s", ""));
    for files in [6, 12, 20, 40, 60] {
        let setting = format!("ulimit -n {files}");
        let ended = bench.spawn_limited(&setting, &["run", "test.yaml"]).end();
        let said = ended.expect(97).stderr();
        assert!(said.contains("ulimit -n 64"), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
    for threads in [1, 2, 4, 6] {
        let Some(running) = bench.spawn_with_processes(threads, &["run", "test.yaml"]) else {
            break;
        };
        let said = running.end().expect(97).stderr();
        assert!(said.contains("threads could be started"), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
    assert_eq!(target.counters().requests(), 0);
}

#[test]
fn memory_that_runs_out_is_told_in_a_line_and_never_passes() {
    let (bench, target) = (Bench::new(), TestServer::start(Config::fast()).unwrap());
    let many = arrivals(&target.url(), 50, "1s", "").replace(
        "preAllocatedVUs: 10\n    maxVUs: 50",
        "preAllocatedVUs: 900000\n    maxVUs: 900000",
    );
    bench.write("test.yaml", &many);
    for generators in ["1", "2"] {
        let args = ["run", "test.yaml", "--generators", generators];
        let ended = bench
            .spawn_limited("ulimit -v 400000; unset RUST_BACKTRACE", &args)
            .end();
        let said = ended.stderr();
        assert!([97, 98].contains(&ended.code().unwrap()), "{said}");
        assert!(said.contains("out of memory"), "{said}");
        assert!(
            !said.contains("BACKTRACE") && !said.contains("panicked"),
            "{said}"
        );
        assert!(!said.contains("bytes failed"), "{said}");
        let status = newest(&bench)["status"].as_str().unwrap().to_owned();
        assert!(
            ["errored", "inconclusive"].contains(&status.as_str()),
            "{status}"
        );
    }
    assert_eq!(target.counters().requests(), 0);
}

#[test]
fn a_report_that_cannot_be_written_is_told_before_the_load_or_changes_no_verdict() {
    let (bench, target) = (Bench::new(), TestServer::start(Config::fast()).unwrap());
    bench.write("test.yaml", &arrivals(&target.url(), 50, "1s", ""));
    for path in ["no/such/folder/x.xml", "/proc/x.xml", "."] {
        let said = bench
            .floodgate(&["run", "test.yaml", "--junit", path])
            .expect(97)
            .stderr();
        assert!(said.contains("in a folder that exists"), "{said}");
    }
    assert_eq!(target.counters().requests(), 0);
    let ended = bench.floodgate(&["run", "test.yaml", "--junit", "/dev/full"]);
    let said = ended.expect(0).stderr();
    assert!(
        said.contains("/dev/full") && said.contains("passed all the same"),
        "{said}"
    );
}

#[test]
fn a_folder_that_was_deleted_is_not_listed() {
    let (bench, target) = (Bench::new(), TestServer::start(Config::fast()).unwrap());
    let (_, summary) = bench.run(&arrivals(&target.url(), 50, "1s", ""), &[]);
    let folder = format!(".floodgate/projects/e2e/executions/{}", summary.execution);
    std::fs::remove_dir_all(bench.path(&folder)).unwrap();
    assert_eq!(bench.floodgate(&["runs", "--json"]).stdout().trim(), "[]");
}

/// Whoever meets it at the same moment: one of them finishes it, and all tell the same from then on.
#[test]
fn a_run_that_was_left_is_finished_once_however_many_meet_it() {
    let (bench, target) = (Bench::new(), TestServer::start(Config::fast()).unwrap());
    let id = "01JD7Q3W5Z8X9Y0A1B2C3D4E5F";
    kill_coordinator(long_run(
        &bench,
        &target,
        &["--generators", "2", "--id", id],
    ));
    let commands: [&[&str]; 3] = [&["runs", "--json"], &["show", id], &["abort", id]];
    let all = commands.iter().cycle().take(9);
    let running: Vec<_> = all.map(|command| bench.spawn(command)).collect();
    let ended: Vec<_> = running.into_iter().map(Running::end).collect();
    for (command, ended) in commands.iter().cycle().zip(&ended) {
        // Nothing is left to abort for one that begins when another has finished the run.
        let is_late = command[0] == "abort" && ended.stderr().contains("has ended already");
        let expected = if is_late { 104 } else { 0 };
        assert_eq!(ended.code(), Some(expected), "{}", ended.stderr());
    }
    let said = ended.iter().map(|ended| ended.stdout() + &ended.stderr());
    let said: String = said.collect();
    assert!(said.contains("finished from what its tasks"), "{said}");
    let trail = bench.path(".floodgate/.records/e2e/audit.jsonl");
    let trail = std::fs::read_to_string(trail).unwrap();
    assert_eq!(trail.matches("\"finish\"").count(), 1, "{trail}");
    let summary = bench.floodgate(&["show", id, "--json"]).expect(0).summary();
    assert_eq!(newest(&bench)["status"], summary.status.as_str());
    let merged = value(&summary, "http_reqs", "count");
    assert_eq!(merged, target.counters().requests() as f64);
}

#[test]
fn a_limit_of_cpu_time_stops_in_order() {
    let (bench, target) = (Bench::new(), TestServer::start(Config::fast()).unwrap());
    let running = long_run(&bench, &target, &["--generators", "2"]);
    running.signal("XCPU");
    // The kernel says so again and again.
    running.signal("XCPU");
    let summary = running.end().expect(105).summary();
    assert_eq!(summary.reasons, ["stopped by SIGXCPU"]);
    let merged = value(&summary, "http_reqs", "count");
    assert_eq!(merged, target.counters().requests() as f64);
}
