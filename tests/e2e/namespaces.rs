//! Faults of the machine that need a machine of their own: a file system that is full, and no free ports. They are made in
//! namespaces, as root, and skipped where that is not permitted.

use crate::support::*;
use floodgate_records::status::Status;
use floodgate_records::summary::Summary;
use floodgate_testserver::{Config, TestServer};
use serde_json::Value;
use std::io::Read;

const ID: &str = "01JD7Q3W5Z8X9Y0A1B2C3D4E5F";

/// What runs out.
#[derive(Clone, Copy)]
enum Full {
    Blocks,
    Inodes,
}

/// Runs a test of 2 s with a small file system mounted at `place`, which fills up once load is sent; then lists the runs and
/// does what `after` says, still with that file system. `None` if that is not permitted.
fn on_a_full_disk(full: Full, place: &str, after: &str) -> Option<(Bench, TestServer)> {
    let (bench, target) = (Bench::new(), TestServer::start(Config::fast()).unwrap());
    let thresholds = "thresholds:\n  http_req_failed: [rate==0]\n";
    bench.write("test.yaml", &arrivals(&target.url(), 50, "2s", thresholds));
    std::fs::create_dir_all(bench.path(place)).unwrap();
    let (size, fill) = match full {
        Full::Blocks => ("size=1m", "cat /dev/zero >PLACE/filler"),
        Full::Inodes => (
            "nr_inodes=100",
            "mkdir PLACE/filler; n=0; while : >PLACE/filler/$n; do n=$((n+1)); done",
        ),
    };
    let fill = fill.replace("PLACE", place);
    let script = format!(
        r#"
        mount -t tmpfs -o {size} none {place}
        set +e
        "$1" run test.yaml --json --id {ID} --out out >run.json 2>run.err &
        while [ ! -e full ]; do sleep 0.05; done
        ( {fill} ) 2>/dev/null
        wait $!
        echo $? >run.code
        "$1" runs --json --out out >runs.json
        {after}
        true"#
    );
    let running = bench.spawn_in_namespace("-m", &script)?;
    eventually("load is sent", || target.counters().requests() >= 10);
    bench.write("full", "");
    let ended = running.end();
    ended.expect(0);
    Some((bench, target))
}

fn read(bench: &Bench, name: &str) -> String {
    std::fs::read_to_string(bench.path(name)).unwrap()
}

fn record(bench: &Bench) -> Value {
    let runs: Value = serde_json::from_str(&read(bench, "runs.json")).unwrap();
    runs[0].clone()
}

/// What the run measured, read from what a command printed.
fn summary(bench: &Bench, name: &str) -> Summary {
    serde_json::from_str(&read(bench, name)).unwrap()
}

#[test]
fn where_only_the_record_can_be_written_it_ends_as_errored_and_show_merges_the_rest() {
    let after = format!(
        r#""$1" show {ID} --json --out out >early.json 2>early.err
        rm -r out/projects/filler
        "$1" show {ID} --json --out out >show.json 2>show.err
        "$1" runs --json --out out >later.json"#
    );
    for full in [Full::Blocks, Full::Inodes] {
        let Some((bench, target)) = on_a_full_disk(full, "out/projects", &after) else {
            return;
        };
        let said = read(&bench, "run.err");
        assert_eq!(read(&bench, "run.code").trim(), "97", "{said}");
        let record = record(&bench);
        assert_eq!(record["status"], "errored", "{said}");
        let reason = record["reasons"][0].as_str().unwrap().to_owned();
        assert!(reason.contains("No space left on device"), "{reason}");
        let folder = record["unwritten"][0]["folder"]
            .as_str()
            .unwrap()
            .to_owned();
        assert!(folder.contains("floodgate-unwritten"), "{record}");
        assert!(
            said.contains(&folder) && !said.contains("still says"),
            "{said}"
        );
        assert!(!said.contains("panicked"), "{said}");
        // Nothing is lost by asking too early.
        assert_eq!(read(&bench, "early.json"), "");
        let merged = summary(&bench, "show.json");
        assert_eq!(merged.status, Status::Errored, "the verdict stands");
        let requests = target.counters().requests() as f64;
        assert_eq!(value(&merged, "http_reqs", "count"), requests);
        assert!(merged.completeness.tasks_lost.is_empty());
        let later = read(&bench, "later.json");
        assert!(
            later.contains("errored") && !later.contains("\"unwritten\""),
            "{later}"
        );
        assert!(files(&bench.path("floodgate-unwritten"), "").is_empty());
    }
}

#[test]
fn a_disk_without_any_room_leaves_a_record_that_abort_ends_with_all_that_was_measured() {
    let after = format!(
        r#"rm -r out/filler
        "$1" abort {ID} --out out >abort.out 2>&1
        echo $? >abort.code
        "$1" show {ID} --json --out out >show.json"#
    );
    for full in [Full::Blocks, Full::Inodes] {
        let Some((bench, target)) = on_a_full_disk(full, "out", &after) else {
            return;
        };
        let said = read(&bench, "run.err");
        assert_eq!(read(&bench, "run.code").trim(), "97", "{said}");
        assert_eq!(record(&bench)["status"], "running");
        for part in [
            "No space left on device",
            "still says `running`",
            "floodgate-unwritten",
        ] {
            assert!(said.contains(part), "{part}: {said}");
        }
        assert!(said.contains(&format!("floodgate abort {ID}")), "{said}");
        let aborted = read(&bench, "abort.out");
        assert_eq!(read(&bench, "abort.code").trim(), "0", "{aborted}");
        let merged = summary(&bench, "show.json");
        assert_eq!(merged.status, Status::Aborted, "{:?}", merged.reasons);
        let requests = target.counters().requests() as f64;
        assert_eq!(value(&merged, "http_reqs", "count"), requests);
        assert_eq!(merged.completeness.tasks_lost, [] as [u32; 0]);
    }
}

#[test]
fn no_free_ports() {
    let bench = Bench::new();
    bench.write(
        "test.yaml",
        "version: 1\nproject: e2e\ntest: ports\nparameters: { at: \"\" }\ntarget: ${param:at}\nscenarios:\n  one:\n    \
         executor: per-vu-iterations\n    vus: 10\n    iterations: 3\n    flow: [{ get: / }, { think: 300ms }]\n",
    );
    // Each VU keeps its connection, so six of ten find no port.
    let script = format!(
        r#"
        ip link set lo up
        "{}" --exact namespaces::serve --ignored --nocapture <served >url &
        exec 3>served
        while ! grep -q http url; do sleep 0.05; done
        echo "50000 50003" >/proc/sys/net/ipv4/ip_local_port_range
        exec "$1" run test.yaml --json --set parameters.at="$(grep -o 'http://[0-9.:]*' url)""#,
        std::env::current_exe().unwrap().display()
    );
    let fifo = std::process::Command::new("mkfifo")
        .arg(bench.path("served"))
        .status();
    assert!(fifo.unwrap().success());
    let Some(running) = bench.spawn_in_namespace("-n", &script) else {
        return;
    };
    let ended = running.end();
    let summary = ended.expect(98).summary();
    assert_eq!(summary.status, Status::Inconclusive);
    assert_eq!(summary.errors["generator_exhausted"], 18);
    assert_eq!(summary.errors.len(), 1, "{:?}", summary.errors);
    assert_eq!(value(&summary, "http_reqs", "count"), 30.0);
    let said = |text: &str| summary.warnings.iter().any(|w| w.contains(text));
    assert!(said("ip_local_port_range"), "{:?}", summary.warnings);
}

#[test]
#[ignore = "the target in the namespace of `no_free_ports`, which starts it: serves until its stdin ends"]
fn serve() {
    let target = TestServer::start(Config::fast()).unwrap();
    println!("{}", target.url());
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
}
