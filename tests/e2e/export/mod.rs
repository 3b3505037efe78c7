//! Exports: what arrives is what the run measured, and a sink that fails changes nothing.

mod faults;
mod files;
mod influx;
pub mod server;
mod statsd;

use crate::support::*;
use floodgate_records::summary::Summary;
use floodgate_testserver::{Config, TestServer};

/// A run of 2 s that exports to these while it goes on; so many requests a second, and 14 by one VU, of which 7 are not found.
pub fn run(bench: &Bench, rate: u32, exports: &[&str]) -> (Ended, Summary) {
    let target = TestServer::start(Config::service()).unwrap();
    let exports: Vec<_> = exports
        .iter()
        .map(|url| format!("  - \"{url}\"\n"))
        .collect();
    let exports = match exports.is_empty() {
        true => String::new(),
        false => format!("export:\n{}", exports.concat()),
    };
    let definition = format!(
        "version: 1\nproject: e2e\ntest: export\ntarget: {}\nscenarios:\n  one:\n    executor: constant-arrival-rate\n    \
         rate: {rate}\n    duration: 2s\n    preAllocatedVUs: 10\n    flow:\n      - {{ get: /bytes/100, name: page }}\n  \
         two:\n    executor: per-vu-iterations\n    iterations: 7\n    flow:\n      \
         - {{ get: /bytes/100, name: page }}\n      - {{ get: /status/404, name: missing, checks: ['status == 200'] }}\n{exports}",
        target.url()
    );
    bench.run(&definition, &[])
}

/// Exports a run again, to this URL.
pub fn export(bench: &Bench, summary: &Summary, url: &str) -> Ended {
    bench.floodgate(&["export", &summary.execution, "--to", url])
}
