//! k6 1.x and 2.x for real, against a target that counts: totals, percentiles, stalls, stopping, faults of scripts.

mod harness;

use crate::{long, times};
use floodgate_core::histogram::Histogram;
use floodgate_engines::Exit;
use floodgate_engines::k6;
use floodgate_records::metric::{Builtin, MetricKind};
use floodgate_testserver::{Config, TestServer, faulty};
use harness::*;
use std::collections::BTreeMap;
use std::time::Duration;

/// Ten arrivals, each 100 ms at least from the end: where one falls on the end itself, k6 may start it or not.
const EVERY_LOAD: &str = r"
import http from 'k6/http';
import { check, sleep } from 'k6';
import { Counter } from 'k6/metrics';
const orders = new Counter('orders');
export const options = {
  rps: 4000,
  scenarios: {
    shared: { executor: 'shared-iterations', vus: 5, iterations: 103, exec: 'page' },
    each: { executor: 'per-vu-iterations', vus: 6, iterations: 7, exec: 'page' },
    rate: { executor: 'constant-arrival-rate', rate: 5, timeUnit: '1s', duration: '1900ms', preAllocatedVUs: 20, maxVUs: 20, exec: 'page' },
  },
};
export function setup() { http.get(`${__ENV.TARGET}/setup`); return { token: 'a\u00e9<b>' }; }
export function page(data) {
  check(http.get(`${__ENV.TARGET}/`, { tags: { name: 'home' } }), { ok: (r) => r.status === 200 && data.token === 'aé<b>' });
  orders.add(3);
}
export function teardown(data) { http.get(`${__ENV.TARGET}/teardown/${data.token.length}`); }
";

/// Whoever sends it, the load is the same, setup and teardown run once, and what is read is what the target received.
#[test]
fn one_task_and_four_send_the_same_load() {
    for program in programs() {
        for weights in [&[1][..], &[1, 1, 1, 1], &[3, 1]] {
            let target = shop();
            let script = Script::new(&program, &target.url(), EVERY_LOAD);
            let done = run(&script, weights);
            for task in &done {
                assert_eq!(task.exit, Exit::Completed, "{}", program.display());
                assert_eq!(task.samples.warnings, [""; 0]);
            }
            let all = 103.0 + 42.0 + 10.0;
            let shown = format!("{} on tasks of {weights:?}", program.display());
            assert_eq!(
                total(&done, "iterations", &[("scenario", "shared")]),
                103.0,
                "{shown}"
            );
            assert_eq!(
                total(&done, "iterations", &[("scenario", "each")]),
                42.0,
                "{shown}"
            );
            let rate = total(&done, "iterations", &[("scenario", "rate")])
                + total(&done, "dropped_iterations", &[]);
            assert_eq!(rate, 10.0, "{shown}");
            let sent = total(&done, "iterations", &[]);
            assert_eq!(
                sent + total(&done, "dropped_iterations", &[]),
                all,
                "{shown}"
            );
            assert_eq!(
                total(&done, "http_reqs", &[]),
                target.counters().requests() as f64,
                "{shown}"
            );
            assert_eq!(
                total(&done, "http_reqs", &[("name", "home")]),
                sent,
                "{shown}"
            );
            assert_eq!(total(&done, "orders", &[]), 3.0 * sent, "{shown}");
            assert_eq!(
                total(&done, "checks", &[("check", "ok")]),
                sent,
                "setup's data reach every VU: {shown}"
            );
            assert_eq!(
                total(&done, "http_reqs", &[("group", "::setup")]),
                1.0,
                "{shown}"
            );
            assert_eq!(
                total(&done[..1], "http_reqs", &[("group", "::teardown")]),
                1.0,
                "{shown}"
            );
            percentiles(&done);
        }
    }
}

/// Ours, from histograms merged over tasks, against those of k6's own values.
fn percentiles(tasks: &[Task]) {
    for metric in [
        Builtin::HttpReqDuration,
        Builtin::HttpReqWaiting,
        Builtin::IterationDuration,
    ] {
        let (mut raw, mut ours) = (Vec::new(), Histogram::new());
        for task in tasks {
            for line in task
                .samples
                .raw
                .split(|&byte| byte == b'\n')
                .filter(|line| !line.is_empty())
            {
                let line: serde_json::Value = serde_json::from_slice(line).unwrap();
                if line["type"] == "Point" && line["metric"] == metric.name() {
                    raw.push(line["data"]["value"].as_f64().unwrap() * 1_000.0);
                }
            }
            for row in task
                .samples
                .rows
                .iter()
                .filter(|row| row.key.metric == metric.name())
            {
                assert_eq!(row.key.kind, MetricKind::Trend);
                ours.add_v2(row.histogram.as_ref().unwrap()).unwrap();
            }
        }
        raw.sort_by(f64::total_cmp);
        assert_eq!(ours.count(), raw.len() as u64);
        for quantile in [0.0, 0.5, 0.9, 0.95, 0.99, 1.0] {
            let rank = ((quantile * raw.len() as f64).ceil() as usize).max(1);
            let (expected, got) = (raw[rank - 1], ours.quantile(quantile) as f64);
            // 0.1 %, and the µs to which values are rounded.
            assert!(
                (got - expected).abs() <= expected * 0.001 + 1.0,
                "{} at {quantile}: {got} µs, k6's own {expected} µs",
                metric.name()
            );
        }
    }
}

/// 100 arrivals a second for 3 s, and at most 5 of them at once.
const RATE: &str = r"
import http from 'k6/http';
export const options = { scenarios: { open: {
  executor: 'constant-arrival-rate', rate: 100, duration: '3s', preAllocatedVUs: 5, maxVUs: 5,
} } };
export default function () { http.get(`${__ENV.TARGET}/`, { tags: { name: 'home' } }); }
";

/// A target that stalls for a second answers few requests late, since few are sent; a hundred arrivals wait for it.
#[test]
fn a_stall_is_in_the_response_times() {
    for program in programs() {
        let second = Duration::from_secs(1);
        let stall = faulty::Script::stall(second, second);
        let target = TestServer::start(Config::faulty(stall)).unwrap();
        let script = Script::new(&program, &target.url(), RATE);
        let done = run(&script, &[1]);
        let sent = total(&done, "http_reqs", &[]);
        let dropped = total(&done, "dropped_iterations", &[]);
        assert_eq!(sent, target.counters().requests() as f64);
        let rows = &done[0].samples.rows;
        let (measured, estimated) = times(rows, "http_req_response_time", "dropped_start");
        assert_eq!(measured.count() as f64, sent);
        assert_eq!(
            estimated.count() as f64,
            dropped,
            "{:?}",
            done[0].samples.warnings
        );
        // A request waits for its connection, then for its answer.
        let (service, _) = times(rows, "http_req_duration", "");
        assert!(measured.quantile(1.0) >= service.quantile(1.0));
        // 95 of the starts in the stall found no VU; half of those waited for 500 ms or more. There is no upper bound on a busy machine.
        assert!(dropped >= 90.0, "{dropped}");
        let (few, many) = (long(&service), long(&estimated));
        assert!(
            few >= 5 && many >= 50,
            "{few} requests and {many} dropped starts waited"
        );
        assert!(
            estimated.quantile(1.0) >= 900_000,
            "{}",
            estimated.quantile(1.0)
        );
    }
}

const ENDLESS: &str = r"
import http from 'k6/http';
import { sleep } from 'k6';
import exec from 'k6/execution';
export const options = { vus: 2, duration: '10m', setupTimeout: '1s' };
export function setup() {
  if (__ENV.MODE === 'throw') throw new Error('no database');
  if (__ENV.MODE === 'sleep') sleep(30);
}
export default function () {
  if (__ENV.MODE === 'abort') exec.test.abort('enough');
  http.get(`${__ENV.TARGET}/`);
  sleep(0.01);
}
";

#[test]
fn an_interrupt_keeps_what_was_read() {
    for program in programs() {
        let target = shop();
        let script = Script::new(&program, &target.url(), ENDLESS);
        let (running, _scratch) = started(&script);
        assert_eq!(running.control.run_setup(LIMIT).unwrap(), None);
        running.control.resume().unwrap();
        wait_for("20 requests", || target.counters().requests() >= 20);
        interrupt(&running.child);
        let task = end(running);
        assert_eq!(task.exit, Exit::Stopped);
        assert_eq!(
            task.samples.warnings, [""; 0],
            "k6 writes what it has measured before it ends"
        );
        let read = total(&[task], "http_reqs", &[]);
        // A request that the interrupt cut off is a sample in k6 2, and may not have reached the target.
        let received = target.counters().requests() as f64;
        assert!(
            (received - 2.0..=received + 2.0).contains(&read),
            "{read} read, {received} received"
        );
    }
}

fn started(script: &Script) -> (Running, tempfile::TempDir) {
    let scratch = tempfile::tempdir().unwrap();
    let running = start(k6::launch(&script.job(&[1], 0, scratch.path())).unwrap());
    wait_for("a paused k6", || running.control.is_ready());
    (running, scratch)
}

/// An order to stop leaves the leading k6 there for teardown.
#[test]
fn a_halt_still_allows_for_teardown() {
    for program in programs() {
        let target = shop();
        let text = format!(
            "{ENDLESS}\nexport function teardown() {{ http.get(`${{__ENV.TARGET}}/teardown`); }}"
        );
        let script = Script::new(&program, &target.url(), &text);
        let (running, _scratch) = started(&script);
        running.control.resume().unwrap();
        wait_for("20 requests", || target.counters().requests() >= 20);
        running.control.halt().unwrap();
        wait_for("the end of the load", || running.control.ended().is_some());
        running.control.run_teardown(LIMIT).unwrap();
        interrupt(&running.child);
        let task = end(running);
        assert_eq!(task.exit, Exit::Stopped);
        assert_eq!(total(&[task], "http_reqs", &[("group", "::teardown")]), 1.0);
    }
}

#[test]
fn a_script_that_aborts_or_throws_is_told_apart() {
    for program in programs() {
        let target = shop();
        let mut script = Script::new(&program, &target.url(), ENDLESS);
        script.parameters.insert("MODE".into(), "abort".into());
        let (running, _scratch) = started(&script);
        running.control.run_setup(LIMIT).unwrap();
        running.control.resume().unwrap();
        wait_for("the abort", || running.control.ended().is_some());
        interrupt(&running.child);
        assert!(matches!(end(running).exit, Exit::Aborted { .. }));

        for (mode, words) in [("throw", "no database"), ("sleep", "timed out")] {
            script.parameters.insert("MODE".into(), mode.into());
            let (running, _scratch) = started(&script);
            let error = running.control.run_setup(LIMIT).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
            interrupt(&running.child);
            assert_eq!(end(running).exit, Exit::Stopped);
        }
        assert_eq!(target.counters().requests(), 0);
    }
}

#[test]
fn faults_of_a_script_are_told_before_the_load() {
    for program in programs() {
        let refused = |text: &str, tasks: usize| {
            Script::new(&program, "http://127.0.0.1:1", text)
                .refused(tasks)
                .to_string()
        };
        let syntax = refused("export default function () { no good }", 1);
        assert!(
            syntax.starts_with("test.js: ") && syntax.contains("Unexpected identifier"),
            "{syntax}"
        );
        let options = refused(
            "export const options = { vus: 5, iterations: 2 }; export default () => {};",
            1,
        );
        assert!(
            options.contains("can't be less than the number of VUs"),
            "{options}"
        );
        let rps = "export const options = { rps: 3 }; export default () => {};";
        assert!(
            refused(rps, 4).contains("the option rps is 3"),
            "{}",
            refused(rps, 4)
        );
    }
}

/// The script's own list is kept beside it, and its option `hosts` leads nowhere else.
#[test]
fn nothing_is_sent_to_what_is_refused() {
    const TRIES: &str = r"
import http from 'k6/http';
export const options = { vus: 1, iterations: 1, blacklistIPs: ['10.0.0.0/8'], hosts: { 'shop.test': '169.254.169.254' } };
export default function () {
  for (const url of [__ENV.TARGET, 'http://shop.test/', 'http://[::ffff:169.254.170.2]/', 'http://10.1.2.3/'])
    http.get(url, { tags: { name: 'any' } });
}
";
    for program in programs() {
        let target = shop();
        let script = Script::new(&program, &target.url(), TRIES);
        let refused = ["169.254.0.0/16".to_owned()];
        let scratch = tempfile::tempdir().unwrap();
        let job = floodgate_engines::Job {
            refused: &refused,
            ..script.job(&[1], 0, scratch.path())
        };
        let done = run_one(&job);
        let of = |tags: &[(&str, &str)]| total(&done, "http_reqs", tags);
        assert_eq!(of(&[("status", "200")]), 1.0, "{}", program.display());
        assert_eq!(of(&[("error_code", "target_forbidden")]), 3.0);
        assert_eq!(target.counters().requests(), 1);
    }
}

const SPREAD: &str = r"
import http from 'k6/http';
import { path } from './lib/path.js';
const rows = open('./data/rows.csv').trim().split('\n');
export const options = { scenarios: { all: { executor: 'shared-iterations', vus: 3, iterations: 30 } } };
export default function () { http.get(`${__ENV.TARGET}${path}?${rows.length}`, { tags: { name: rows[1] } }); }
";

/// A packed script is the same wherever it lay, and runs as the script does.
#[test]
fn a_packed_script_is_stable_and_runs() {
    for program in programs() {
        let target = shop();
        let tool = k6::Tool::find(Some(&program)).unwrap();
        let mut packed = Vec::new();
        for _ in 0..2 {
            let script = Script::new(&program, &target.url(), SPREAD);
            let folder = script.folder.path();
            std::fs::create_dir_all(folder.join("lib")).unwrap();
            std::fs::create_dir_all(folder.join("data")).unwrap();
            std::fs::write(folder.join("lib/path.js"), "export const path = '/';").unwrap();
            std::fs::write(folder.join("data/rows.csv"), "first\nsecond\n").unwrap();
            let scratch = tempfile::tempdir().unwrap();
            let job = script.job(&[1], 0, scratch.path());
            let (inspection, archive) = k6::examine(&tool, &job).unwrap();
            assert_eq!(inspection.files, archive.files);
            assert_eq!(
                inspection.parameters,
                BTreeMap::from([("TARGET".to_owned(), None)])
            );
            assert_eq!(inspection.max_vus, Some(3));
            packed.push(archive);
        }
        assert_eq!(packed[0], packed[1], "{}", program.display());
        assert_eq!(packed[0].files, ["data/rows.csv", "lib/path.js"]);
        assert_eq!(packed[0].warnings, [""; 0]);

        // In a folder where nothing but the archive is.
        let mut script = Script::new(&program, &target.url(), "");
        script.file = "test.tar";
        std::fs::write(script.folder.path().join("test.tar"), &packed[0].bytes).unwrap();
        let done = run(&script, &[1, 1]);
        assert!(done.iter().all(|task| task.exit == Exit::Completed));
        assert_eq!(
            total(&done, "http_reqs", &[("name", "second"), ("status", "200")]),
            30.0
        );
        assert_eq!(target.counters().requests(), 30);
    }
}
