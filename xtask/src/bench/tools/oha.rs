//! oha (<https://github.com/hatoo/oha>), 1.9 and later.

use super::driver::{Driver, Load, Reading, Times, first_line};
use crate::bench::process::Measured;
use anyhow::{Context, Result};
use serde_json::Value;
use std::path::Path;
use std::process::Command;

pub(super) struct Oha;

impl Driver for Oha {
    fn name(&self) -> &'static str {
        "oha"
    }

    fn version(&self, program: &Path) -> String {
        first_line(Command::new(program).arg("--version"))
    }

    fn command(&self, program: &Path, load: &Load) -> Option<Command> {
        let mut command = Command::new(program);
        command.args(["--no-tui", "--output-format", "json", "--insecure"]);
        command.args([
            "-c",
            &load.connections.to_string(),
            "-z",
            &format!("{}s", load.seconds),
        ]);
        if load.http2 {
            command.args(["--http2", "-p", "1"]);
        }
        if let Some(rate) = load.rate {
            // Without the correction its latency would leave out the time that a request waits for a connection.
            command.args(["-q", &rate.to_string(), "--latency-correction"]);
        }
        command.arg(&load.url);
        Some(command)
    }

    fn read(&self, printed: &Measured, _folder: &Path) -> Result<Reading> {
        let report: Value =
            serde_json::from_str(&printed.stdout).context("standard output is not JSON")?;
        let statuses = report["statusCodeDistribution"]
            .as_object()
            .context("no statusCodeDistribution")?;
        let ms = |value: &Value| value.as_f64().map(|s| s * 1e3);
        let percentiles = &report["latencyPercentiles"];
        Ok(Reading {
            requests: statuses.values().filter_map(Value::as_f64).sum(),
            rate: report["summary"]["requestsPerSec"]
                .as_f64()
                .context("no requestsPerSec")?,
            times: Times {
                p50: ms(&percentiles["p50"]),
                p95: ms(&percentiles["p95"]),
                p99: ms(&percentiles["p99"]),
                max: ms(&report["summary"]["slowest"]),
            },
            ..Reading::default()
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn ohas_json_is_read() {
        // The fields that its documentation shows, shortened.
        let json = r#"{"summary": {"total": 2.0, "slowest": 0.02, "requestsPerSec": 50.5},
            "latencyPercentiles": {"p50": 0.01, "p95": 0.015, "p99": 0.018},
            "statusCodeDistribution": {"200": 100, "503": 1}}"#;
        let reading = super::super::driver::read_text(&Oha, json).unwrap();
        assert_eq!((reading.requests, reading.rate), (101.0, 50.5));
        assert_eq!(
            (reading.times.p50, reading.times.max),
            (Some(10.0), Some(20.0))
        );
    }
}
