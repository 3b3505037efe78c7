//! One scenario, written for every engine: the same series, but for what an engine cannot tell.
//!
//! What each has stands here in full, and in `docs/engines/README.md`: a series more or less, whoever loses or invents it, is a
//! failure.

use super::{copied, here, simulation, tool};
use crate::support::*;
use floodgate_core::shard::{Row, decode};
use floodgate_testserver::{Config, TestServer};
use std::collections::{BTreeMap, BTreeSet};

/// Iterations in all, each of which makes every request once.
const ITERATIONS: f64 = 8.0;

/// The series of a run of the scenario.
struct Series {
    /// Metrics of each request.
    of_requests: &'static [&'static str],
    /// Tags of the three requests: home, missing, refused.
    requests: [&'static str; 3],
    /// All others.
    others: &'static [&'static str],
}

/// Every tag that there is, and every phase.
const HTTP: Series = Series {
    of_requests: &[
        "http_reqs",
        "http_req_failed",
        "http_req_duration",
        "http_req_response_time",
        "http_req_blocked",
        "http_req_looking_up",
        "http_req_connecting",
        "http_req_tls_handshaking",
        "http_req_sending",
        "http_req_waiting",
        "http_req_receiving",
    ],
    requests: K6.requests,
    others: &[
        "checks{check:status == 200,group:::visit,name:home,scenario:shop}",
        "data_received{group:::visit,scenario:shop}",
        "data_received{scenario:shop}",
        "data_sent{group:::visit,scenario:shop}",
        "data_sent{scenario:shop}",
        "generator_cpu{task:0}",
        "iteration_duration{scenario:shop}",
        "iterations{scenario:shop}",
        "vus",
        "vus_max",
    ],
};

/// No look-up of names apart; traffic by scenario only; the time of groups.
const K6: Series = Series {
    of_requests: &[
        "http_reqs",
        "http_req_failed",
        "http_req_duration",
        "http_req_response_time",
        "http_req_blocked",
        "http_req_connecting",
        "http_req_tls_handshaking",
        "http_req_sending",
        "http_req_waiting",
        "http_req_receiving",
    ],
    requests: [
        "expected_response:true,group:::visit,method:GET,name:home,scenario:shop,status:200",
        "expected_response:false,group:::visit,method:GET,name:missing,scenario:shop,status:404",
        "error_code:connection_refused,expected_response:false,method:GET,name:refused,scenario:shop,status:0",
    ],
    others: &[
        "checks{check:status == 200,group:::visit,scenario:shop}",
        "data_received{scenario:shop}",
        "data_sent{scenario:shop}",
        "generator_cpu{task:0}",
        "group_duration{group:::visit,scenario:shop}",
        "iteration_duration{scenario:shop}",
        "iterations{scenario:shop}",
        "vus",
        "vus_max",
    ],
};

/// Neither method nor group on requests, no status where there was no response, checks by request; no iterations.
const JMETER: Series = Series {
    of_requests: &[
        "http_reqs",
        "http_req_failed",
        "http_req_duration",
        "http_req_response_time",
        "http_req_connecting",
        "http_req_waiting",
        "http_req_receiving",
    ],
    requests: [
        "expected_response:true,name:home,scenario:shop,status:200",
        "expected_response:false,name:missing,scenario:shop,status:404",
        "error_code:connection_refused,expected_response:false,name:refused,scenario:shop",
    ],
    others: &[
        "checks{check:status == 200,name:home,scenario:shop}",
        "data_received{scenario:shop}",
        "data_sent{scenario:shop}",
        "generator_cpu{task:0}",
        "group_duration{group:::visit,scenario:shop}",
        "vus",
    ],
};

/// No method, no phases, no traffic, a status only where a check failed; one check a request, all of it; zeros for the outcomes
/// that a request did not have.
const GATLING: Series = Series {
    of_requests: &[
        "http_reqs",
        "http_req_failed",
        "http_req_duration",
        "http_req_response_time",
    ],
    requests: [
        "expected_response:true,group:::visit,name:home,scenario:shop",
        "expected_response:false,group:::visit,name:missing,scenario:shop,status:404",
        "error_code:connection_refused,expected_response:false,name:refused,scenario:shop",
    ],
    others: &[
        "checks{check:all of the request,group:::visit,name:home,scenario:shop}",
        "checks{check:all of the request,group:::visit,name:missing,scenario:shop}",
        "checks{check:all of the request,name:refused,scenario:shop}",
        "generator_cpu{task:0}",
        "group_duration{group:::visit,scenario:shop}",
        "http_reqs{expected_response:false,group:::visit,name:home,scenario:shop}",
        "http_reqs{expected_response:false,group:::visit,name:missing,scenario:shop}",
        "http_reqs{expected_response:false,name:refused,scenario:shop}",
        "http_reqs{expected_response:true,group:::visit,name:missing,scenario:shop}",
        "http_reqs{expected_response:true,name:refused,scenario:shop}",
        "iterations{scenario:shop}",
        "vus",
    ],
};

impl Series {
    fn all(&self) -> BTreeSet<String> {
        let requests = self.of_requests.iter().flat_map(|metric| {
            let series = move |tags| format!("{metric}{{{tags}}}");
            self.requests.into_iter().map(series)
        });
        let others = self.others.iter().map(ToString::to_string);
        requests.chain(others).collect()
    }

    fn metrics(&self) -> BTreeSet<String> {
        let name = |series: String| series.split('{').next().unwrap_or_default().to_owned();
        self.all().into_iter().map(name).collect()
    }

    /// The keys of the tags of the three requests.
    fn keys(&self) -> [BTreeSet<&str>; 3] {
        let keys = |tags: &'static str| {
            let pairs = tags.split(',').map(|pair| pair.split(':').next());
            pairs.map(Option::unwrap_or_default).collect()
        };
        self.requests.map(keys)
    }
}

/// What a threshold can be made on, whichever engine runs the scenario.
#[test]
fn what_all_engines_have_in_common() {
    let all = [HTTP, K6, JMETER, GATLING];
    let metrics = all.iter().map(Series::metrics).reduce(|a, b| &a & &b);
    assert_eq!(
        metrics.unwrap().iter().collect::<Vec<_>>(),
        [
            "checks",
            "generator_cpu",
            "http_req_duration",
            "http_req_failed",
            "http_req_response_time",
            "http_reqs",
            "vus",
        ]
    );
    let keys = all.iter().map(Series::keys);
    let [home, missing, refused] = keys
        .reduce(|[a, b, c], [d, e, f]| [&a & &d, &b & &e, &c & &f])
        .unwrap();
    let common = ["expected_response", "name", "scenario"];
    assert_eq!(home, BTreeSet::from(common));
    assert_eq!(
        missing,
        &BTreeSet::from(common) | &BTreeSet::from(["status"])
    );
    assert_eq!(
        refused,
        &BTreeSet::from(common) | &BTreeSet::from(["error_code"])
    );
}

#[test]
fn the_native_engine_has_every_series() {
    let bench = Bench::new();
    let scenario = std::fs::read_to_string(here("shop.yaml")).unwrap();
    compare("http", &scenario, &HTTP, &bench);
}

#[test]
fn k6_has_the_same_series() {
    compare_script("FLOODGATE_K6", "k6", "shop.js", &K6);
}

#[test]
fn jmeter_has_the_same_series() {
    compare_script("FLOODGATE_JMETER", "jmeter", "shop.jmx", &JMETER);
}

#[test]
fn gatling_has_the_same_series() {
    let Some(home) = tool("FLOODGATE_GATLING") else {
        return;
    };
    let bench = Bench::new();
    simulation(&home, &bench, "Shop.java", "shop.jar");
    compare("gatling", "script: shop.jar\n", &GATLING, &bench);
}

/// The same of a script that runs as it stands, if its engine is here.
fn compare_script(variable: &str, engine: &str, script: &str, expected: &Series) {
    if tool(variable).is_some() {
        let bench = Bench::new();
        copied(&bench, script);
        compare(engine, &format!("script: {script}\n"), expected, &bench);
    }
}

/// Runs the scenario and compares its series with the expected ones, and what they count with what was sent.
fn compare(engine: &str, scenario: &str, expected: &Series, bench: &Bench) {
    let target = TestServer::start(Config::prompt_service()).unwrap();
    let url = target.url();
    let text = format!(
        "version: 1\ntest: shop\nengine: {engine}\ntarget: {url}\nparameters: {{nobody: \"http://127.0.0.1:1/\"}}\n{scenario}"
    );
    let (ended, summary) = bench.run(&text, &[]);
    ended.expect(0);
    let odd = |warning: &&String| warning.contains("account for");
    assert_eq!(summary.warnings.iter().find(odd), None);
    assert_eq!(target.counters().requests() as f64, 2.0 * ITERATIONS);
    let rows = merged(bench);
    let found: BTreeSet<String> = rows.iter().map(|row| row.key.to_string()).collect();
    let expected_series = expected.all();
    let lost: Vec<_> = expected_series.difference(&found).collect();
    let invented: Vec<_> = found.difference(&expected_series).collect();
    assert_eq!(
        (lost, invented),
        (Vec::new(), Vec::new()),
        "{engine}: series that are lost, and that are invented"
    );
    let mut sums = BTreeMap::new();
    for row in &rows {
        *sums.entry(row.key.to_string()).or_insert(0.0) += row.sum;
    }
    for tags in expected.requests {
        assert_eq!(
            sums[&format!("http_reqs{{{tags}}}")],
            ITERATIONS,
            "{engine}"
        );
    }
}

/// The rows of the only execution.
fn merged(bench: &Bench) -> Vec<Row> {
    let found = files(&bench.path(".floodgate"), "merged.parquet");
    assert_eq!(found.len(), 1, "{found:?}");
    decode(&std::fs::read(&found[0]).unwrap()).unwrap().rows
}
