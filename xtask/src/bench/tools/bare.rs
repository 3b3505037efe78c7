//! The bare loop of this program: what the system alone takes for a request at its time.

use super::driver::{Driver, Load, Reading, number_after};
use crate::bench::process::Measured;
use anyhow::{Context, Result};
use std::path::Path;
use std::process::Command;

pub(super) struct Bare;

impl Driver for Bare {
    fn name(&self) -> &'static str {
        "bare loop"
    }

    fn version(&self, _program: &Path) -> String {
        String::new()
    }

    fn command(&self, program: &Path, load: &Load) -> Option<Command> {
        let rate = load.rate.filter(|_| !load.http2 && !load.tls())?;
        let authority = load.url.strip_prefix("http://")?;
        let authority = authority.split('/').next()?;
        let mut command = Command::new(program);
        command.args(["bare-loop", authority]);
        command.args(["--rate", &rate.to_string()]);
        command.args(["--seconds", &load.seconds.to_string()]);
        command.args(["--connections", &load.connections.to_string()]);
        Some(command)
    }

    fn read(&self, printed: &Measured, _folder: &Path) -> Result<Reading> {
        let value = |label| number_after(&printed.stdout, label).context("not understood");
        Ok(Reading {
            requests: value("requests:")?,
            rate: value("rate:")?,
            ..Reading::default()
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_loops_output_is_read() {
        let reading =
            super::super::driver::read_text(&Bare, "requests: 4000\nrate: 1999.5\n").unwrap();
        assert_eq!((reading.requests, reading.rate), (4_000.0, 1_999.5));
    }
}
