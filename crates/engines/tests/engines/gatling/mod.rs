//! Gatling for real: the current version and the last one with a text log.

mod run;

use floodgate_engines::Exit;
use floodgate_engines::gatling::{describe, inspect};
use floodgate_testserver::{Config, TestServer};
use run::{Home, Run, finished};
use std::collections::BTreeMap;

fn homes() -> Vec<Home> {
    let homes = Home::all();
    if homes.is_empty() {
        eprintln!("FLOODGATE_GATLING is not set: Gatling is not run");
    }
    homes
}

fn parameters(all: &[(&str, &str)]) -> BTreeMap<String, String> {
    all.iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

/// Requests to a port that nobody listens on; each task has two of them, and two more for one task.
const LOST: u64 = 10;

#[test]
fn four_tasks_send_exactly_what_one_does_and_all_of_it_is_read() {
    for home in homes() {
        let parameters =
            parameters(&[("simulation", "shop.Checkout"), ("lost", &LOST.to_string())]);
        let mut by_tasks = Vec::new();
        for (weights, script) in [
            (&[1][..], "sim.jar"),
            (&[10, 10, 10, 10], "project/project.tar"),
        ] {
            let target = TestServer::start(Config::fast()).unwrap();
            let url = target.url();
            let runs = Run::all(&home, script, weights, &url, &parameters);
            let mut counts = BTreeMap::new();
            for done in finished(runs) {
                assert_eq!(done.exit, Exit::Completed, "{}", done.said);
                for (series, count) in done.counts() {
                    *counts.entry(series).or_insert(0) += count;
                }
            }
            let reqs = counts
                .iter()
                .filter(|(key, _)| key.starts_with("http_reqs"));
            let reqs: u64 = reqs.map(|(_, count)| count).sum();
            assert_eq!(
                reqs - LOST,
                target.counters().requests(),
                "{home:?} {weights:?}"
            );
            assert_eq!(counts["iterations{scenario:lost}"], LOST);
            by_tasks.push(counts);
            target.stop();
        }
        assert_eq!(by_tasks[0], by_tasks[1], "{home:?}");
    }
}

#[test]
fn a_stopped_run_keeps_what_was_read_and_ends_as_stopped() {
    for home in homes() {
        let target = TestServer::start(Config::fast()).unwrap();
        let parameters = parameters(&[("simulation", "shop.Steady"), ("seconds", "100")]);
        let url = target.url();
        let mut runs = Run::all(&home, "sim.jar", &[1, 2], &url, &parameters);
        // Far less than the 8 KiB after which Gatling writes its log by itself.
        for run in &mut runs {
            run.read_until(20);
        }
        for run in &runs {
            run.terminate();
        }
        let mut read = 0;
        for done in finished(runs) {
            assert_eq!(done.exit, Exit::Stopped, "{}", done.said);
            read += done.http_reqs();
        }
        let sent = target.counters().requests();
        // Six users at most have a request under way when they are stopped.
        assert!(
            read <= sent && sent - read <= 6,
            "{home:?}: {read} of {sent}"
        );
        target.stop();
    }
}

#[test]
fn a_script_that_cannot_run_says_why() {
    for home in homes() {
        for (simulation, expected) in [
            ("shop.Nothing", "shop.Nothing"),
            (
                "",
                "several simulations, name one as the parameter simulation: shop.Checkout, shop.Steady",
            ),
        ] {
            let parameters = parameters(&[("simulation", simulation)]);
            let runs = Run::all(&home, "sim.jar", &[1], "http://127.0.0.1:1", &parameters);
            let done = finished(runs).remove(0);
            assert!(matches!(done.exit, Exit::Failed { .. }), "{:?}", done.exit);
            let last = done.said.trim_end().lines().last().unwrap();
            assert!(
                last.starts_with("floodgate: ") && last.contains(expected),
                "{last}"
            );
        }
    }
}

#[test]
fn a_simulation_is_described_without_a_run() {
    for home in homes() {
        let target = TestServer::start(Config::fast()).unwrap();
        let parameters = parameters(&[("simulation", "shop.Checkout"), ("lost", "4")]);
        let folders = run::Folders::new(&home);
        let url = target.url();
        let job = folders.job(&home, "sim.jar", &[1], 0, &url, &parameters);
        let command = describe(&job).unwrap();
        let output = std::process::Command::new(&command[0])
            .args(&command[1..])
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let inspection = inspect(job.script, &output.stdout).unwrap();
        let names: Vec<_> = inspection
            .scenarios
            .iter()
            .map(|s| s.name.as_str())
            .collect();
        assert_eq!(names, ["browse", "lost"]);
        assert!(inspection.scenarios.iter().all(|s| s.executor.is_some()));
        // 7 + 11 + 10 + 13 + 21 + 23 + 3 + 8, and 4.
        assert_eq!(inspection.details["users"], 100);
        assert_eq!(inspection.thresholds.len(), 7);
        assert_eq!(target.counters().requests(), 0);
        target.stop();
    }
}
