//! What is exported stands in real servers as the run itself has it.

mod broken;
mod dashboards;
mod influx2;
mod observe;
mod otlp;
mod postgres;
mod prometheus;
mod recipes;
pub mod servers;
mod timescale;

use crate::support::*;
use floodgate_records::summary::Summary;
use floodgate_testserver::{Config, TestServer};

/// Pages, and one that is not there, by two scenarios; some names are hostile.
fn definition(target: &str, project: &str, iterations: u32) -> String {
    format!(
        "version: 1\nproject: {project}\ntest: pages\ntarget: {target}\nscenarios:\n  one:\n    executor: shared-iterations\n    vus: 2\n    \
         iterations: {iterations}\n    flow:\n      - {{ get: /bytes/100, name: page }}\n      - {{ get: /bytes/20000, name: 'it''s \"{{x}}\" \\1' }}\n  \
         two:\n    executor: per-vu-iterations\n    iterations: 7\n    flow:\n      - {{ get: /status/404, name: missing }}\n\
         thresholds:\n  http_req_duration: p(95)<10000\n"
    )
}

/// Runs it.
fn run(bench: &Bench, project: &str, iterations: u32) -> Summary {
    let target = TestServer::start(Config::service()).unwrap();
    let (_, summary) = bench.run(&definition(&target.url(), project, iterations), &[]);
    summary
}

/// Exports a run.
#[track_caller]
fn export(bench: &Bench, summary: &Summary, to: &str) {
    let setting = format!("export FLOODGATE_POSTGRES_PASSWORD='{}'", servers::PASSWORD);
    let ended = bench.spawn_limited(&setting, &["export", &summary.execution, "--to", to]);
    ended.end().expect(0);
}

/// Percentiles of service time in ms, as the summary has them.
fn times(summary: &Summary) -> [(f64, f64); 4] {
    let of = |name: &str| value(summary, "http_req_duration", name);
    [
        (0.5, of("med")),
        (0.9, of("p(90)")),
        (0.95, of("p(95)")),
        (0.99, of("p(99)")),
    ]
}
