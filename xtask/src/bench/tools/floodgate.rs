//! Floodgate itself, with its whole engine: definition, checks, recording, shards.

use super::driver::{Driver, Load, Reading, Times, first_line};
use crate::bench::process::Measured;
use anyhow::{Context, Result};
use serde_json::Value;
use std::path::Path;
use std::process::Command;

pub(super) const NAME: &str = "floodgate";

pub(super) struct Floodgate;

impl Driver for Floodgate {
    fn name(&self) -> &'static str {
        NAME
    }

    fn version(&self, program: &Path) -> String {
        first_line(Command::new(program).arg("--version"))
    }

    fn command(&self, program: &Path, load: &Load) -> Option<Command> {
        let mut command = Command::new(program);
        command.args([
            "hit",
            &load.url,
            "--json",
            "-c",
            &load.connections.to_string(),
        ]);
        command.args(["-d", &format!("{}s", load.seconds)]);
        if let Some(rate) = load.rate {
            command.args(["-r", &rate.to_string()]);
        }
        if load.http2 {
            command.arg("--http2");
        }
        if load.tls() {
            command.arg("--insecure");
        }
        Some(command)
    }

    /// The summary (`summary.json`); the exit code says the verdict, which is not asked here.
    fn read(&self, printed: &Measured, _folder: &Path) -> Result<Reading> {
        let summary: Value =
            serde_json::from_str(&printed.stdout).context("standard output is not a summary")?;
        let values = |metric: &str| &summary["metrics"][metric]["values"];
        let times = |metric: &str| Times {
            p50: values(metric)["med"].as_f64(),
            p95: values(metric)["p(95)"].as_f64(),
            p99: values(metric)["p(99)"].as_f64(),
            max: values(metric)["max"].as_f64(),
        };
        Ok(Reading {
            requests: values("http_reqs")["count"]
                .as_f64()
                .context("no http_reqs count")?,
            rate: values("http_reqs")["rate"]
                .as_f64()
                .context("no http_reqs rate")?,
            times: times("http_req_response_time"),
            service: times("http_req_duration"),
            dropped: Some(
                values("dropped_iterations")["count"]
                    .as_f64()
                    .unwrap_or(0.0),
            ),
            lag_p99: values("generator_lag")["p(99)"].as_f64(),
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_is_read() {
        let summary = r#"{"metrics": {
            "http_reqs": {"values": {"count": 40000, "rate": 2000}},
            "http_req_duration": {"values": {"med": 0.1, "p(95)": 0.2, "p(99)": 0.3, "max": 2000}},
            "http_req_response_time": {"values": {"med": 0.2, "p(95)": 1000, "p(99)": 1800, "max": 2001}},
            "generator_lag": {"values": {"p(99)": 0.25}}}}"#;
        let reading = super::super::driver::read_text(&Floodgate, summary).unwrap();
        assert_eq!(
            (reading.requests, reading.times.p99, reading.service.p50),
            (40_000.0, Some(1_800.0), Some(0.1))
        );
        assert_eq!((reading.dropped, reading.lag_p99), (Some(0.0), Some(0.25)));
        assert!(super::super::driver::read_text(&Floodgate, "error: no").is_err());
    }
}
