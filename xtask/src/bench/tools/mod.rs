//! The load generators that are compared, one a file: how each is called, and what its output says.

mod bare;
mod driver;
mod floodgate;
mod h2load;
mod hey;
mod k6;
mod oha;
mod wrk;

use super::process::{Steady, measure};
use crate::repo;
use anyhow::{Context as _, Result};
use driver::Driver;
pub(super) use driver::{Load, Reading, first_line};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Beyond the time it was told to run, for starting and ending.
const PATIENCE: Duration = Duration::from_secs(60);

/// By then every tool has started and sends; Floodgate waits half a second for the common start.
const STARTS: Duration = Duration::from_millis(1_500);

const DRIVERS: &[&dyn Driver] = &[
    &floodgate::Floodgate,
    &wrk::WRK,
    &wrk::WRK2,
    &oha::Oha,
    &hey::Hey,
    &k6::K6,
    &h2load::H2load,
];

/// A tool that is installed.
pub(super) struct Tool {
    driver: &'static dyn Driver,
    program: PathBuf,
    pub(super) version: String,
}

/// One run of a tool.
pub(super) struct Run {
    pub(super) reading: Reading,
    pub(super) cpu: Duration,
    pub(super) peak_rss_bytes: u64,
    steady: Option<Steady>,
}

impl Run {
    /// CPU time a request, µs.
    pub(super) fn cpu_us(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / self.reading.requests
    }

    /// The same of the middle of the run, in which nothing started or ended; the tool must have sent evenly.
    pub(super) fn steady_cpu_us(&self) -> Option<f64> {
        let steady = self.steady?;
        Some(steady.cpu.as_secs_f64() * 1e6 / (self.reading.rate * steady.span.as_secs_f64()))
    }
}

/// Floodgate, then the peers in `first` or `$PATH`; and the names of those that are not there.
pub(super) fn find(floodgate: &Path, first: Option<&Path>) -> (Vec<Tool>, Vec<&'static str>) {
    let (mut tools, mut absent) = (Vec::new(), Vec::new());
    for &driver in DRIVERS {
        let program = match driver.name() {
            floodgate::NAME => Some(floodgate.to_owned()),
            name => repo::find_program(name, first),
        };
        match program {
            Some(program) => tools.push(Tool {
                driver,
                version: driver.version(&program),
                program,
            }),
            None => absent.push(driver.name()),
        }
    }
    (tools, absent)
}

/// The bare loop, which is not a peer: it measures nothing.
///
/// # Errors
/// If the system does not say where this program is.
pub(super) fn bare_loop() -> Result<Tool> {
    Ok(Tool {
        driver: &bare::Bare,
        program: std::env::current_exe().context("find this program")?,
        version: String::new(),
    })
}

impl Tool {
    pub(super) fn name(&self) -> &'static str {
        self.driver.name()
    }

    /// Whether it can send such a load.
    pub(super) fn can(&self, load: &Load) -> bool {
        self.driver.command(&self.program, load).is_some()
    }

    /// Sends a load from a core; `scratch` is the working folder.
    ///
    /// # Errors
    /// If the tool cannot send it, does not end, or prints what cannot be understood.
    pub(super) fn run(&self, core: usize, scratch: &Path, load: &Load) -> Result<Run> {
        let mut command = self
            .driver
            .command(&self.program, load)
            .with_context(|| format!("{}: cannot", self.name()))?;
        command.current_dir(scratch);
        let limit = Duration::from_secs(load.seconds.into()) + PATIENCE;
        let steady = STARTS..Duration::from_secs(load.seconds.into());
        let printed = measure(&command, core, limit, Some(steady))?;
        let reading = self.driver.read(&printed, scratch).with_context(|| {
            format!(
                "{} ended {}:\n{}\n{}",
                self.name(),
                if printed.success { "well" } else { "badly" },
                printed.stderr,
                printed.stdout
            )
        })?;
        eprintln!(
            "   {:<10} {:>10.0} requests, {:>9.0}/s",
            self.name(),
            reading.requests,
            reading.rate
        );
        Ok(Run {
            reading,
            cpu: printed.cpu,
            peak_rss_bytes: printed.peak_rss_bytes,
            steady: printed.steady,
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_a_tool_cannot_send_is_not_asked_of_it() {
        let load = |url: &str, rate, http2| Load {
            url: url.into(),
            connections: 64,
            seconds: 1,
            rate,
            http2,
        };
        let can = |load: &Load| -> Vec<_> {
            DRIVERS
                .iter()
                .filter(|driver| driver.command(Path::new("x"), load).is_some())
                .map(|driver| driver.name())
                .collect()
        };
        assert_eq!(
            can(&load("http://t/", None, false)),
            ["floodgate", "wrk", "oha", "hey", "k6", "h2load"]
        );
        assert_eq!(
            can(&load("http://t/", Some(200), false)),
            ["floodgate", "wrk2", "oha", "k6"]
        );
        assert_eq!(
            can(&load("http://t/", None, true)),
            ["floodgate", "oha", "h2load"]
        );
        assert_eq!(
            can(&load("https://t/", None, true)),
            ["floodgate", "oha", "hey", "k6", "h2load"]
        );
    }
}
