//! h2load (<https://nghttp2.org/documentation/h2load-howto.html>), closed loop, one request at a time a connection.

use super::driver::{Driver, Load, Reading, first_line, number_after};
use crate::bench::process::Measured;
use anyhow::{Context, Result};
use std::path::Path;
use std::process::Command;

pub(super) struct H2load;

impl Driver for H2load {
    fn name(&self) -> &'static str {
        "h2load"
    }

    fn version(&self, program: &Path) -> String {
        first_line(Command::new(program).arg("--version"))
    }

    fn command(&self, program: &Path, load: &Load) -> Option<Command> {
        if load.rate.is_some() {
            return None;
        }
        let mut command = Command::new(program);
        command
            .args(["-t1", "-m1"])
            .arg(format!("-c{}", load.connections))
            .arg(format!("-D{}", load.seconds));
        if !load.http2 {
            command.arg("--h1");
        }
        command.arg(&load.url);
        Some(command)
    }

    /// Its percentiles are none: it prints means and deviations.
    fn read(&self, printed: &Measured, _folder: &Path) -> Result<Reading> {
        let out = &printed.stdout;
        let requests = out
            .lines()
            .find_map(|line| line.strip_prefix("requests: "))
            .context("no line of requests")?;
        let succeeded = requests
            .split(", ")
            .find_map(|part| part.strip_suffix(" succeeded"));
        let finished = out
            .lines()
            .find(|line| line.starts_with("finished in "))
            .context("it did not finish")?;
        let rate = finished
            .split(", ")
            .find_map(|part| part.strip_suffix(" req/s"));
        Ok(Reading {
            requests: succeeded.context("no count of successes")?.parse()?,
            rate: rate
                .and_then(|rate| number_after(rate, ""))
                .context("no rate")?,
            ..Reading::default()
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn h2loads_output_is_read() {
        // Printed by h2load of nghttp2 1.52.0.
        let reading =
            super::super::driver::read_text(&H2load, include_str!("../../../fixtures/h2load.txt"))
                .unwrap();
        assert_eq!((reading.requests, reading.rate), (135_490.0, 67_745.0));
    }
}
