//! hey (<https://github.com/rakyll/hey>).

use super::driver::{Driver, Load, Reading, Times, number_after};
use crate::bench::process::Measured;
use anyhow::{Context, Result, ensure};
use std::path::Path;
use std::process::Command;

pub(super) struct Hey;

impl Driver for Hey {
    fn name(&self) -> &'static str {
        "hey"
    }

    /// It does not tell its version.
    fn version(&self, _program: &Path) -> String {
        "hey".into()
    }

    fn command(&self, program: &Path, load: &Load) -> Option<Command> {
        // HTTP/2 only over TLS; its rate is one of each worker's own closed loop.
        if load.rate.is_some() || (load.http2 && !load.tls()) {
            return None;
        }
        let mut command = Command::new(program);
        command.args([
            "-cpus",
            "1",
            "-c",
            &load.connections.to_string(),
            "-z",
            &format!("{}s", load.seconds),
        ]);
        if load.http2 {
            command.arg("-h2");
        }
        if load.tls() {
            // Otherwise it sends `127.0.0.1:PORT` as the server's name, which rustls refuses as no name at all.
            command.args(["-host", "localhost"]);
        }
        command.arg(&load.url);
        Some(command)
    }

    fn read(&self, printed: &Measured, _folder: &Path) -> Result<Reading> {
        let out = &printed.stdout;
        ensure!(out.contains("[200]"), "no good answers");
        let rate = number_after(out, "Requests/sec:").context("no rate")?;
        let seconds = number_after(out, "Total:").context("no total time")?;
        let percentile =
            |percent: &str| number_after(out, &format!("  {percent}%% in ")).map(|s| s * 1e3);
        Ok(Reading {
            // The distribution of status codes ends at a million.
            requests: (rate * seconds).round(),
            rate,
            times: Times {
                p50: percentile("50"),
                p95: percentile("95"),
                p99: percentile("99"),
                max: number_after(out, "Slowest:").map(|s| s * 1e3),
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
    fn heys_output_is_read() {
        // Printed by hey, without its histogram and details.
        let reading =
            super::super::driver::read_text(&Hey, include_str!("../../../fixtures/hey.txt"))
                .unwrap();
        assert_eq!((reading.requests, reading.rate), (64_940.0, 32416.6858));
        assert_eq!(reading.times.p50, Some(1.6));
        assert!((reading.times.max.unwrap() - 9.7).abs() < 1e-9);
    }
}
