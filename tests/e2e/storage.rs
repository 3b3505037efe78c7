//! A store that does not take or does not keep what is written.

use crate::support::*;
use floodgate_core::shard::decode;
use floodgate_records::status::Status;
use floodgate_records::summary::Summary;
use floodgate_testserver::{Config, TestServer};
use rustix::process::{Pid, Resource, Rlimit};
use std::time::Duration;

/// The signal that comes with a file that grows too large ends a process, unless it is ignored: then writing fails, as
/// on a full disk.
const WRITES_FAIL: &str = "trap '' XFSZ";

/// From now on no file that a process writes may be longer than this.
fn limit_files(pid: u32, bytes: Option<u64>) {
    let pid = Pid::from_raw(pid as i32).unwrap();
    let limit = Rlimit {
        current: bytes,
        maximum: None,
    };
    rustix::process::prlimit(Some(pid), Resource::Fsize, limit).unwrap();
}

/// A run of 3 s whose disk is full once load is sent.
fn with_a_full_disk(bench: &Bench, target: &TestServer) -> Running {
    let thresholds = "thresholds:\n  http_req_failed: [rate==0]\n";
    bench.write("test.yaml", &arrivals(&target.url(), 50, "3s", thresholds));
    let running = bench.spawn_limited(WRITES_FAIL, &["run", "test.yaml", "--json"]);
    eventually("load is sent", || target.counters().requests() >= 10);
    limit_files(running.pid(), Some(0));
    running
}

#[test]
fn a_disk_that_is_full_for_a_while_loses_nothing() {
    let (bench, target) = (Bench::new(), TestServer::start(Config::fast()).unwrap());
    let running = with_a_full_disk(&bench, &target);
    eventually("all load is sent", || target.counters().requests() >= 150);
    std::thread::sleep(Duration::from_secs(1));
    limit_files(running.pid(), None);
    let ended = running.end();
    let summary = ended.expect(0).summary();
    assert_eq!(summary.status, Status::Passed);
    assert_eq!(value(&summary, "http_reqs", "count"), 150.0);
    let said = |text: &str| summary.warnings.iter().any(|w| w.contains(text));
    assert!(said("kept and tried again"), "{:?}", summary.warnings);
}

#[test]
fn a_disk_that_stays_full_is_no_pass() {
    let (bench, target) = (Bench::new(), TestServer::start(Config::fast()).unwrap());
    let ended = with_a_full_disk(&bench, &target).end();
    let code = ended.code().unwrap();
    assert!([97, 98].contains(&code), "{code}: {}", ended.stderr());
    assert!(
        ended.stderr().contains("File too large"),
        "{}",
        ended.stderr()
    );
    assert!(!ended.stderr().contains("panicked"), "{}", ended.stderr());
}

/// A run of 2 s that cannot write shards: a file lies where their folder would. Returns its summary.
fn without_room_for_shards(bench: &Bench, target: &TestServer, id: &str) -> Summary {
    bench.write("test.yaml", &arrivals(&target.url(), 50, "2s", ""));
    let running = bench.spawn(&["run", "test.yaml", "--json", "--id", id]);
    eventually("load is sent", || target.counters().requests() >= 1);
    // The first shard is written at the end.
    let execution = bench.path(&format!(".floodgate/projects/e2e/executions/{id}"));
    std::fs::write(execution.join("shards"), "").unwrap();
    running.end().expect(98).summary()
}

#[test]
fn shards_that_can_never_be_written_are_left_elsewhere_and_named() {
    let (bench, target) = (Bench::new(), TestServer::start(Config::fast()).unwrap());
    let id = "01JD7Q3W5Z8X9Y0A1B2C3D4E5F";
    let summary = without_room_for_shards(&bench, &target, id);
    let said = |text: &str| {
        let mut all = summary.warnings.iter().chain(&summary.reasons);
        all.any(|line| line.contains(text))
    };
    assert!(said("floodgate-unwritten"), "{:?}", summary.warnings);
    assert!(said("1 of 1 shard not merged"), "{:?}", summary.reasons);
    let left = files(&bench.path("floodgate-unwritten"), ".parquet");
    let rows = left
        .iter()
        .flat_map(|path| decode(&std::fs::read(path).unwrap()).unwrap().rows);
    let requests: u64 = rows
        .filter(|row| row.key.metric == "http_reqs")
        .map(|row| row.sum as u64)
        .sum();
    assert_eq!(
        requests,
        target.counters().requests(),
        "what was measured is still there"
    );
}

#[test]
fn whoever_asks_again_brings_home_what_was_left_elsewhere() {
    for command in ["show", "abort"] {
        let (bench, target) = (Bench::new(), TestServer::start(Config::fast()).unwrap());
        let id = "01JD7Q3W5Z8X9Y0A1B2C3D4E5F";
        without_room_for_shards(&bench, &target, id);
        let shown = bench.floodgate(&["show", id, "--json"]).expect(0).summary();
        assert!(!shown.metrics.contains_key("http_reqs"), "still no room");
        let execution = bench.path(&format!(".floodgate/projects/e2e/executions/{id}"));
        std::fs::remove_file(execution.join("shards")).unwrap();
        let said = bench.floodgate(&[command, id]);
        let said = format!("{}{}", said.expect(0).stdout(), said.stderr());
        assert!(said.contains("merged now"), "{said}");
        let shown = bench.floodgate(&["show", id, "--json"]).expect(0).summary();
        assert_eq!(shown.status, Status::Inconclusive, "the verdict stands");
        let requests = target.counters().requests() as f64;
        assert_eq!(value(&shown, "http_reqs", "count"), requests);
        assert!(!bench.path("floodgate-unwritten").exists());
    }
}

#[test]
fn what_is_damaged_after_it_was_written_is_left_out_and_named() {
    let (bench, target) = (Bench::new(), TestServer::start(Config::fast()).unwrap());
    bench.write("test.yaml", &arrivals(&target.url(), 50, "1s", ""));
    let running = bench.spawn(&["run", "test.yaml", "--generators", "3", "--json"]);
    eventually("load is sent", || target.counters().requests() >= 1);
    // The generators go on and end while the coordinator is held up.
    running.signal("STOP");
    let folder = bench.path(".floodgate");
    eventually("the generators have ended", || {
        files(&folder, "/tasks/").len() == 3
    });
    let shards = files(&folder, "/shards/0001/");
    let whole = std::fs::read(&shards[0]).unwrap();
    std::fs::write(&shards[0], &whole[..whole.len() / 2]).unwrap();
    let manifest = &files(&folder, "/tasks/")[2];
    let whole = std::fs::read(manifest).unwrap();
    std::fs::write(manifest, &whole[..whole.len() / 2]).unwrap();
    running.signal("CONT");
    let ended = running.end();
    let summary = ended.expect(98).summary();
    assert_eq!(summary.status, Status::Inconclusive);
    let excluded = &summary.completeness.shards_excluded;
    assert_eq!(
        excluded.iter().map(|s| (s.task, s.seq)).collect::<Vec<_>>(),
        [(1, 0)]
    );
    assert_eq!(summary.completeness.tasks_lost, [2]);
    let said = |text: &str| summary.warnings.iter().any(|w| w.contains(text));
    assert!(said("manifest of task 2"), "{:?}", summary.warnings);
    // A third of 50 starts is missing: that of the shard. The shards of the task without a manifest count.
    let merged = value(&summary, "http_reqs", "count");
    assert!((33.0..=34.0).contains(&merged), "{merged}");
}

#[test]
fn a_folder_for_a_file_or_a_file_for_a_folder_never_passes() {
    let id = "01JD7Q3W5Z8X9Y0A1B2C3D4E5F";
    for (name, becomes_folder) in [
        ("live", false),
        ("artifacts", false),
        ("control/stop.json", true),
        ("plan.json", true),
        ("summary.json", true),
        ("merged.parquet", true),
    ] {
        let (bench, target) = (Bench::new(), TestServer::start(Config::fast()).unwrap());
        bench.write("test.yaml", &arrivals(&target.url(), 50, "2s", ""));
        let running = bench.spawn(&["run", "test.yaml", "--id", id]);
        eventually("load is sent", || target.counters().requests() >= 1);
        let execution = bench.path(&format!(".floodgate/projects/e2e/executions/{id}"));
        let place = execution.join(name);
        let _ = std::fs::remove_file(&place).or_else(|_| std::fs::remove_dir_all(&place));
        if becomes_folder {
            std::fs::create_dir(&place).unwrap();
        } else {
            std::fs::write(&place, "").unwrap();
        }
        let ended = running.end();
        let said = ended.expect(97).stderr();
        assert!(!said.contains("panicked"), "{name}: {said}");
        let runs = bench.floodgate(&["runs", "--json"]).stdout();
        assert!(
            runs.contains("\"errored\"") && runs.contains(name),
            "{name}: {runs}"
        );
    }
}

#[test]
fn a_record_that_is_deleted_while_its_run_goes_on_is_written_again() {
    let (bench, target) = (Bench::new(), TestServer::start(Config::fast()).unwrap());
    bench.write("test.yaml", &arrivals(&target.url(), 50, "2s", ""));
    let running = bench.spawn(&["run", "test.yaml", "--json"]);
    eventually("load is sent", || target.counters().requests() >= 1);
    std::fs::remove_dir_all(bench.path(".floodgate/.records")).unwrap();
    let summary = running.end().expect(0).summary();
    let requests = target.counters().requests() as f64;
    assert_eq!(value(&summary, "http_reqs", "count"), requests);
    let runs = bench.floodgate(&["runs", "--json"]).stdout();
    assert!(runs.contains(&summary.execution), "{runs}");
}

/// What is old goes with its folder and record; what is pinned stays, and what is not is as it was.
#[test]
fn old_runs_are_pruned_and_pinned_ones_stay() {
    let (bench, target) = (Bench::new(), TestServer::start(Config::fast()).unwrap());
    let definition = arrivals(&target.url(), 20, "1s", "");
    let mut ids = Vec::new();
    for _ in 0..3 {
        let (ended, summary) = bench.run(&definition, &[]);
        ended.expect(0);
        ids.push((
            summary.execution,
            format!("{}/{}", summary.project, summary.test),
        ));
    }
    let (oldest, test) = &ids[0];
    bench
        .floodgate(&["baseline", "set", test, oldest])
        .expect(0);
    bench.floodgate(&["runs", "prune"]).expect(104);
    let prune = |more: &[&str]| bench.floodgate(&[&["runs", "prune"], more].concat());
    let none = prune(&["--older-than", "1d"]);
    assert_eq!(none.expect(0).stdout(), "", "nothing is a day old");
    let planned = prune(&["--keep", "1", "--dry-run"]).expect(0).stdout();
    assert!(
        planned.contains(&ids[1].0) && planned.lines().count() == 1,
        "{planned}"
    );
    let passed = prune(&["--keep", "0", "--keep-baselines", "2", "--dry-run"]);
    let said = passed.expect(0).stderr();
    assert!(
        said.contains("0 executions (0 B) would be deleted, 3 would"),
        "{said}"
    );
    let records = || bench.floodgate(&["runs", "--json"]).expect(0).stdout();
    assert!(records().contains(&ids[1].0), "a dry run deletes nothing");
    assert_eq!(prune(&["--keep", "1"]).expect(0).stdout(), planned);
    let left = records();
    let is_left = |at: usize| left.contains(&ids[at].0);
    assert_eq!(
        [is_left(0), is_left(1), is_left(2)],
        [true, false, true],
        "{left}"
    );
    assert!(files(&bench.path(".floodgate"), &ids[1].0).is_empty());
    bench.floodgate(&["show", &ids[0].0]).expect(0);
}
