//! JMeter for real: totals, percentiles, exit codes, stopping.

mod harness;

use crate::{long, times};
use floodgate_core::merge::{Aggregate, Along};
use floodgate_core::shard::Row;
use floodgate_engines::Exit;
use floodgate_records::metric::{Builtin, MetricKind};
use floodgate_testserver::{Config, TestServer, faulty};
use harness::{Ended, Folder, home, plan, run};
use std::collections::BTreeMap;
use std::time::Duration;

/// Twenty iterations of 4 threads, each with a product of its own, two redirects and a transaction.
fn totals(home: &std::path::Path, tasks: usize) -> (u64, BTreeMap<String, u64>, Vec<Ended>) {
    let target = TestServer::start(Config::prompt_service()).unwrap();
    let folder = Folder::new(&plan::everything());
    let rows: String = (1..=20).map(|id| format!("{id}\n")).collect();
    folder.write("data/products.csv", &format!("id\n{rows}"));
    let weights = vec![1; tasks];
    let ended: Vec<Ended> = std::thread::scope(|scope| {
        let tasks: Vec<_> = (0..tasks)
            .map(|place| {
                let (folder, weights, target) = (&folder, &weights, target.url());
                scope.spawn(move || run(home, folder, weights, place, &target, |_, _| false))
            })
            .collect();
        tasks.into_iter().map(|task| task.join().unwrap()).collect()
    });
    for task in &ended {
        assert_eq!(task.exit, Exit::Completed, "{}", task.said);
        assert_eq!(task.reader_warnings, Vec::<String>::new());
    }
    let requests = target.counters().requests();
    (requests, target.counters().by_path(), ended)
}

fn merged(ended: &[Ended]) -> u64 {
    ended.iter().map(|task| task.total(Builtin::HttpReqs)).sum()
}

#[test]
fn one_task_and_four_send_the_same_requests_and_every_one_counts() {
    let Some(home) = home("FLOODGATE_JMETER") else {
        return;
    };
    let (one, one_paths, ended) = totals(&home, 1);
    assert_eq!(merged(&ended), one);
    let (four, four_paths, ended) = totals(&home, 4);
    assert_eq!(merged(&ended), four);
    assert_eq!(
        four_paths, one_paths,
        "the same rows of data, the same paths"
    );
    assert_eq!(one_paths["/api/products/7"], 1, "a row is used once");
    assert_eq!(
        one,
        20 + 3 * 20 + 20 + 1,
        "a product, two redirects, a page in a transaction; set-up once"
    );
    for task in &ended[1..] {
        let said = &task.warnings;
        assert!(
            said.iter()
                .any(|w| w.contains("runs in the first task only")),
            "{said:?}"
        );
    }
    let groups: u64 = ended.iter().map(|task| task.count("group_duration")).sum();
    assert_eq!(
        groups,
        20 + 20,
        "transactions, and samplers that were redirected"
    );
    let checks: u64 = ended.iter().map(|task| task.count("checks")).sum();
    assert_eq!(checks, 20);
}

#[test]
fn the_old_version_counts_the_same() {
    let Some(home) = home("FLOODGATE_JMETER_2") else {
        return;
    };
    let (requests, paths, ended) = totals(&home, 2);
    assert_eq!(merged(&ended), requests);
    assert_eq!(requests, 20 + 3 * 20 + 20 + 1);
    assert_eq!(paths["/api/products/7"], 1);
}

#[test]
fn percentiles_are_those_of_the_raw_results() {
    let Some(home) = home("FLOODGATE_JMETER") else {
        return;
    };
    let target = TestServer::start(Config::service()).unwrap();
    let folder = Folder::new(&plan::simple(4, "100"));
    let ended = run(&home, &folder, &[1], 0, &target.url(), |_, _| false);
    let text = String::from_utf8(ended.raw.clone()).unwrap();
    let mut raw: Vec<u64> = text
        .lines()
        .map(|line| {
            let fields: Vec<&str> = line.split(',').collect();
            let number = |n: usize| fields[n].parse::<u64>().unwrap();
            number(1) - number(16)
        })
        .collect();
    raw.sort_unstable();
    assert_eq!(raw.len(), 400);
    let mut all = Aggregate::new(MetricKind::Trend);
    let ours = |row: &&Row| row.key.metric == "http_req_duration";
    for row in ended.rows.iter().filter(ours) {
        all.add_row(row, Along::Time).unwrap();
    }
    let histogram = all.histogram.unwrap();
    for q in [0.5, 0.9, 0.95, 0.99, 1.0] {
        let rank = ((q * 400.0_f64).ceil() as usize).max(1) - 1;
        let (theirs, ours) = (raw[rank] as f64, histogram.quantile(q) as f64 / 1_000.0);
        assert!(
            (ours - theirs).abs() <= theirs * 0.001 + 1e-9,
            "p{q}: {ours} and {theirs} ms"
        );
    }
}

#[test]
fn what_cannot_run_is_told_by_the_exit_code() {
    let Some(home) = home("FLOODGATE_JMETER") else {
        return;
    };
    let target = TestServer::start(Config::prompt_service()).unwrap();
    let text = plan::simple(1, "1")
        .replace("<HTTPSamplerProxy ", "<no.such.Sampler ")
        .replace("</HTTPSamplerProxy", "</no.such.Sampler");
    let ended = run(
        &home,
        &Folder::new(&text),
        &[1],
        0,
        &target.url(),
        |_, _| false,
    );
    assert!(
        matches!(ended.exit, Exit::Failed { .. }),
        "{:?}",
        ended.exit
    );
    assert!(ended.said.contains("no.such.Sampler"), "{}", ended.said);
    assert_eq!(ended.total(Builtin::HttpReqs), 0);
    assert_eq!(
        ended.reader_warnings,
        ["the results are empty: JMeter wrote no sample"]
    );
}

#[test]
fn a_stop_keeps_what_was_read() {
    let Some(home) = home("FLOODGATE_JMETER") else {
        return;
    };
    let target = TestServer::start(Config::prompt_service()).unwrap();
    // Would run for ever.
    let folder = Folder::new(&plan::simple(3, "-1"));
    let ended = run(&home, &folder, &[1], 0, &target.url(), |bytes, _| {
        bytes.len() > 20_000
    });
    assert_eq!(ended.exit, Exit::Completed, "{}", ended.said);
    assert!(ended.stopped);
    assert_eq!(ended.total(Builtin::HttpReqs), target.counters().requests());
    assert!(ended.total(Builtin::HttpReqs) > 100);
    assert_eq!(
        ended.count("http_req_response_time"),
        ended.total(Builtin::HttpReqs),
        "without a throughput timer nothing is left out"
    );
}

/// A target that stalls for a second keeps five threads from a hundred starts that their timer wants.
#[test]
fn a_stall_is_in_the_response_times() {
    for home in ["FLOODGATE_JMETER", "FLOODGATE_JMETER_2"]
        .into_iter()
        .filter_map(home)
    {
        let second = Duration::from_secs(1);
        let stall = faulty::Script::stall(second, second);
        let target = TestServer::start(Config::faulty(stall)).unwrap();
        let folder = Folder::new(&plan::paced());
        let ended = run(&home, &folder, &[1], 0, &target.url(), |_, _| false);
        assert_eq!(ended.exit, Exit::Completed, "{}", ended.said);
        assert_eq!(ended.total(Builtin::HttpReqs), target.counters().requests());
        let (measured, estimated) =
            times(&ended.rows, "http_req_response_time", "expected_interval");
        assert_eq!(measured.count(), ended.total(Builtin::HttpReqs));
        // Five threads share 100 starts a second: 50 ms each, of which a second of waiting holds 19 more. The threads that wait at first do so for the whole stall.
        assert!(long(&measured) >= 5, "{}", long(&measured));
        assert!(
            long(&estimated) >= 50,
            "{} of {}",
            long(&estimated),
            estimated.count()
        );
        assert!(
            ended.reader_warnings[0].contains("corrected:expected_interval"),
            "{:?}",
            ended.reader_warnings
        );
    }
}

#[test]
fn groups_and_timers_of_plugins_run_as_they_are_divided() {
    let Some(home) = home("FLOODGATE_JMETER") else {
        return;
    };
    let target = TestServer::start(Config::prompt_service()).unwrap();
    let folder = Folder::new(&plan::plugins());
    let ended = run(&home, &folder, &[1, 1], 1, &target.url(), |_, _| false);
    assert_eq!(ended.exit, Exit::Completed, "{}", ended.said);
    assert_eq!(ended.total(Builtin::HttpReqs), target.counters().requests());
    let most = |scenario: &str| {
        let of = |row: &&Row| {
            row.key.metric == "http_reqs" && row.key.tags.get("scenario") == Some(scenario)
        };
        ended
            .rows
            .iter()
            .filter(of)
            .map(|row| row.count)
            .sum::<u64>()
    };
    assert!(
        most("ultimate") > 0 && most("shaped") > 0,
        "{:?}",
        ended.rows.len()
    );
    // Half of 40 in a second for two seconds: a shaping timer never lets more through.
    assert!(most("shaped") <= 2 * 20 + 20, "{}", most("shaped"));
}
