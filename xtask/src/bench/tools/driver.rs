//! What every load generator is asked, and helpers to read what it prints.

use crate::bench::process::Measured;
use anyhow::Result;
use std::path::Path;
use std::process::Command;

/// What a tool is asked to send.
#[derive(Clone, Debug)]
pub(in crate::bench) struct Load {
    /// With a path.
    pub(in crate::bench) url: String,
    pub(in crate::bench) connections: u32,
    pub(in crate::bench) seconds: u32,
    /// Requests a second, open loop; `None`: closed loop, as fast as the connections allow.
    pub(in crate::bench) rate: Option<u32>,
    pub(in crate::bench) http2: bool,
}

impl Load {
    pub(super) fn tls(&self) -> bool {
        self.url.starts_with("https:")
    }
}

/// Times in ms, as far as a tool tells them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(in crate::bench) struct Times {
    pub(in crate::bench) p50: Option<f64>,
    pub(in crate::bench) p95: Option<f64>,
    pub(in crate::bench) p99: Option<f64>,
    pub(in crate::bench) max: Option<f64>,
}

/// What a tool says of its run.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(in crate::bench) struct Reading {
    /// Requests that were answered.
    pub(in crate::bench) requests: f64,
    /// Requests a second.
    pub(in crate::bench) rate: f64,
    /// The latency it reports: from the intended start where it knows one.
    pub(in crate::bench) times: Times,
    /// The service time, where it is reported beside the latency.
    pub(in crate::bench) service: Times,
    /// Iterations that were not sent, where that is reported.
    pub(in crate::bench) dropped: Option<f64>,
    /// p99 of actual minus intended start, ms, where that is reported.
    pub(in crate::bench) lag_p99: Option<f64>,
}

/// One kind of tool.
pub(super) trait Driver: Sync {
    /// Name in tables, and of the program.
    fn name(&self) -> &'static str;
    /// The version as the report shows it.
    fn version(&self, program: &Path) -> String;
    /// The command for a load; `None` if it cannot send such.
    fn command(&self, program: &Path, load: &Load) -> Option<Command>;
    /// Reads what it printed, or wrote into `folder`, its working folder.
    fn read(&self, printed: &Measured, folder: &Path) -> Result<Reading>;
}

/// The first line that a command prints, on either stream; some print their version to the wrong one.
pub(in crate::bench) fn first_line(command: &mut Command) -> String {
    let printed = command
        .output()
        .map(|output| [output.stdout, output.stderr].concat())
        .unwrap_or_default();
    let printed = String::from_utf8_lossy(&printed).into_owned();
    printed
        .lines()
        .next()
        .map_or_else(|| "unknown".into(), |line| line.trim().to_owned())
}

/// The first number after `label` in a text.
pub(super) fn number_after(text: &str, label: &str) -> Option<f64> {
    let rest = text[text.find(label)? + label.len()..].trim_start();
    let end = rest
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(rest.len());
    rest[..end].parse().ok()
}

/// A duration such as `178.00us`, `1.04ms`, `2.5s` in ms.
pub(super) fn duration_ms(text: &str) -> Option<f64> {
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
pub(super) fn read_text(driver: &dyn Driver, stdout: &str) -> Result<Reading> {
    use std::time::Duration;
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
}
