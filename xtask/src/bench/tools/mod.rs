//! The load generators that are compared, one a file: how each is called, and what its output says.

mod bare;
mod floodgate;
mod h2load;
mod hey;
mod k6;
mod oha;
mod wrk;

use super::context::Context;
use super::process::{Measured, Steady, measure};
use crate::repo;
use anyhow::{Context as _, Result};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// Beyond the time it was told to run, for starting and ending.
const PATIENCE: Duration = Duration::from_secs(60);

/// By then every tool has started and sends; Floodgate waits half a second for the common start.
const STARTS: Duration = Duration::from_millis(1_500);

/// What a tool is asked to send.
#[derive(Clone, Debug)]
pub(super) struct Load {
    /// With a path.
    pub(super) url: String,
    pub(super) connections: u32,
    pub(super) seconds: u32,
    /// Requests a second, open loop; `None`: closed loop, as fast as the connections allow.
    pub(super) rate: Option<u32>,
    pub(super) http2: bool,
}

impl Load {
    fn tls(&self) -> bool {
        self.url.starts_with("https:")
    }
}

/// Times in ms, as far as a tool tells them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Times {
    pub(super) p50: Option<f64>,
    pub(super) p95: Option<f64>,
    pub(super) p99: Option<f64>,
    pub(super) max: Option<f64>,
}

/// What a tool says of its run.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Reading {
    /// Requests that were answered.
    pub(super) requests: f64,
    /// Requests a second.
    pub(super) rate: f64,
    /// The latency it reports: from the intended start where it knows one.
    pub(super) times: Times,
    /// The service time, where it is reported beside the latency.
    pub(super) service: Times,
    /// Iterations that were not sent, where that is reported.
    pub(super) dropped: Option<f64>,
    /// p99 of actual minus intended start, ms, where that is reported.
    pub(super) lag_p99: Option<f64>,
}

/// One kind of tool.
trait Driver: Sync {
    /// Name in tables, and of the program.
    fn name(&self) -> &'static str;
    /// The version as the report shows it.
    fn version(&self, program: &Path) -> String;
    /// The command for a load; `None` if it cannot send such.
    fn command(&self, program: &Path, load: &Load) -> Option<Command>;
    /// Reads what it printed, or wrote into `folder`, its working folder.
    fn read(&self, printed: &Measured, folder: &Path) -> Result<Reading>;
}

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

    /// Sends a load from the client's core.
    ///
    /// # Errors
    /// If the tool cannot send it, does not end, or prints what cannot be understood.
    pub(super) fn run(&self, context: &Context, load: &Load) -> Result<Run> {
        let mut command = self
            .driver
            .command(&self.program, load)
            .with_context(|| format!("{}: cannot", self.name()))?;
        command.current_dir(&context.scratch);
        let limit = Duration::from_secs(load.seconds.into()) + PATIENCE;
        let steady = STARTS..Duration::from_secs(load.seconds.into());
        let printed = measure(&command, context.cores.client, limit, Some(steady))?;
        let reading = self
            .driver
            .read(&printed, &context.scratch)
            .with_context(|| {
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

/// The first number after `label` in a text.
fn number_after(text: &str, label: &str) -> Option<f64> {
    let rest = text[text.find(label)? + label.len()..].trim_start();
    let end = rest
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(rest.len());
    rest[..end].parse().ok()
}

/// A duration such as `178.00us`, `1.04ms`, `2.5s` in ms.
fn duration_ms(text: &str) -> Option<f64> {
    let split = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let number: f64 = text[..split].parse().ok()?;
    let ms = match text[split..].trim() {
        "us" => 1e-3,
        "ms" => 1.0,
        "s" => 1e3,
        "m" => 60e3,
        _ => return None,
    };
    Some(number * ms)
}

/// What a driver would read from a text on standard output.
#[cfg(test)]
fn read_text(driver: &dyn Driver, stdout: &str) -> Result<Reading> {
    let printed = Measured {
        stdout: stdout.into(),
        stderr: String::new(),
        cpu: Duration::ZERO,
        peak_rss_bytes: 0,
        steady: None,
        success: true,
    };
    driver.read(&printed, Path::new("/nonexistent"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_durations_are_found() {
        assert_eq!(number_after("Total:\t2.0033 secs", "Total:"), Some(2.0033));
        assert_eq!(number_after("nothing", "Total:"), None);
        for (text, ms) in [
            ("178.00us", Some(0.178)),
            ("1.04ms", Some(1.04)),
            ("2s", Some(2_000.0)),
            ("x", None),
        ] {
            assert_eq!(duration_ms(text), ms, "{text}");
        }
    }

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
