//! k6 (<https://grafana.com/docs/k6/latest/>).

use super::driver::{Driver, Load, Reading, Times, first_line};
use crate::bench::process::Measured;
use anyhow::{Context, Result};
use serde_json::Value;
use std::path::Path;
use std::process::Command;

/// The summary's name in the working folder.
const SUMMARY: &str = "k6-summary.json";

pub(super) struct K6;

impl Driver for K6 {
    fn name(&self) -> &'static str {
        "k6"
    }

    fn version(&self, program: &Path) -> String {
        first_line(Command::new(program).arg("version"))
    }

    fn command(&self, program: &Path, load: &Load) -> Option<Command> {
        // HTTP/2 only over TLS; there it takes what the server prefers.
        if load.http2 && !load.tls() {
            return None;
        }
        let mut command = Command::new(program);
        command.args([
            "run",
            "--quiet",
            "--no-usage-report",
            "--address",
            "",
            "--summary-export",
            SUMMARY,
        ]);
        command.arg(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/src/bench/tools/k6.js"
        ));
        command
            .env("GOMAXPROCS", "1")
            .env("URL", &load.url)
            .env("DURATION", format!("{}s", load.seconds));
        command.env("CONNECTIONS", load.connections.to_string());
        command.env("RATE", load.rate.unwrap_or(0).to_string());
        Some(command)
    }

    fn read(&self, _printed: &Measured, folder: &Path) -> Result<Reading> {
        let path = folder.join(SUMMARY);
        let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        // Or the next run that fails would be read as this one.
        std::fs::remove_file(&path)?;
        read_summary(&text)
    }
}

fn read_summary(text: &str) -> Result<Reading> {
    let summary: Value = serde_json::from_str(text).context("the summary is not JSON")?;
    let metrics = &summary["metrics"];
    let duration = &metrics["http_req_duration"];
    Ok(Reading {
        requests: metrics["http_reqs"]["count"]
            .as_f64()
            .context("no http_reqs")?,
        rate: metrics["http_reqs"]["rate"]
            .as_f64()
            .context("no rate of http_reqs")?,
        times: Times {
            p50: duration["med"].as_f64(),
            p95: duration["p(95)"].as_f64(),
            p99: duration["p(99)"].as_f64(),
            max: duration["max"].as_f64(),
        },
        dropped: Some(
            metrics["dropped_iterations"]["count"]
                .as_f64()
                .unwrap_or(0.0),
        ),
        ..Reading::default()
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn k6s_summary_is_read() {
        // Written by k6 1.8.1 with the script of this folder.
        let reading = read_summary(include_str!("../../../fixtures/k6-summary.json")).unwrap();
        assert_eq!((reading.requests, reading.dropped), (57_223.0, Some(0.0)));
        assert_eq!(
            (reading.times.p50, reading.times.max),
            (Some(0.21109), Some(8.154742))
        );
    }
}
