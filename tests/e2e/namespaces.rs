//! Faults of the machine that need a machine of their own: a file system that is full, and no free ports. They are made in
//! namespaces, as root, and skipped where that is not permitted.

use crate::support::*;
use floodgate_core::execution::record::Status;
use floodgate_core::execution::summary::Summary;
use floodgate_target::{Config, Target};
use serde_json::Value;
use std::io::Read;

const ID: &str = "01JD7Q3W5Z8X9Y0A1B2C3D4E5F";

/// Runs a test of 2 s with a file system of 1 MiB mounted at `place`, which fills up once load is sent; then lists the runs and
/// does what `after` says, still with that file system. `None` if that is not permitted.
fn on_a_full_disk(place: &str, after: &str) -> Option<(Bench, Target)> {
    let (bench, target) = (Bench::new(), Target::start(Config::fast()).unwrap());
    let thresholds = "thresholds:\n  http_req_failed: [rate==0]\n";
    bench.write("test.yaml", &arrivals(&target.url(), 50, "2s", thresholds));
    std::fs::create_dir_all(bench.path(place)).unwrap();
    let script = format!(
        r#"
        mount -t tmpfs -o size=1m none {place}
        set +e
        "$1" run test.yaml --json --id {ID} --out out >run.json 2>run.err &
        while [ ! -e full ]; do sleep 0.05; done
        cat /dev/zero >{place}/filler 2>/dev/null
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

#[test]
fn where_only_the_record_can_be_written_it_ends_as_errored() {
    let Some((bench, _target)) = on_a_full_disk("out/projects", "") else {
        return;
    };
    let said = read(&bench, "run.err");
    assert_eq!(read(&bench, "run.code").trim(), "97", "{said}");
    assert_eq!(record(&bench)["status"], "errored", "{said}");
    let reason = record(&bench)["reasons"][0].as_str().unwrap().to_owned();
    assert!(reason.contains("No space left on device"), "{reason}");
    assert!(!said.contains("still says"), "{said}");
    assert!(!said.contains("panicked"), "{said}");
}

#[test]
fn a_disk_without_any_room_leaves_a_record_that_abort_ends() {
    let after = format!(
        r#"rm out/filler
        "$1" abort {ID} --out out >abort.out 2>&1
        echo $? >abort.code
        "$1" show {ID} --json --out out >show.json"#
    );
    let Some((bench, _target)) = on_a_full_disk("out", &after) else {
        return;
    };
    let said = read(&bench, "run.err");
    assert_eq!(read(&bench, "run.code").trim(), "97", "{said}");
    assert_eq!(record(&bench)["status"], "running");
    for part in ["No space left on device", "still says `running`", ID] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(said.contains(&format!("floodgate abort {ID}")), "{said}");
    let aborted = read(&bench, "abort.out");
    assert_eq!(read(&bench, "abort.code").trim(), "0", "{aborted}");
    // Its one task wrote neither a shard nor a manifest there.
    let summary: Summary = serde_json::from_str(&read(&bench, "show.json")).unwrap();
    assert_eq!(summary.status, Status::Errored, "{:?}", summary.reasons);
    assert_eq!(summary.completeness.tasks_lost, [0]);
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
    let target = Target::start(Config::fast()).unwrap();
    println!("{}", target.url());
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
}
