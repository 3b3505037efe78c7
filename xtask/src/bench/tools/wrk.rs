//! wrk (<https://github.com/wg/wrk>), closed loop, and wrk2 (<https://github.com/giltene/wrk2>), constant rate.

use super::driver::{Driver, Load, Reading, Times, duration_ms, first_line, number_after};
use crate::bench::process::Measured;
use anyhow::{Context, Result};
use std::path::Path;
use std::process::Command;

pub(super) struct Wrk {
    name: &'static str,
    /// wrk2 needs a rate and wrk has none.
    constant_rate: bool,
}

pub(super) const WRK: Wrk = Wrk {
    name: "wrk",
    constant_rate: false,
};
pub(super) const WRK2: Wrk = Wrk {
    name: "wrk2",
    constant_rate: true,
};

impl Driver for Wrk {
    fn name(&self) -> &'static str {
        self.name
    }

    fn version(&self, program: &Path) -> String {
        let line = first_line(Command::new(program).arg("--version"));
        let line = line.split(" Copyright").next().unwrap_or(&line);
        // wrk2 calls itself wrk.
        if self.constant_rate {
            format!("wrk2 ({line})")
        } else {
            line.to_owned()
        }
    }

    fn command(&self, program: &Path, load: &Load) -> Option<Command> {
        if load.http2 || load.rate.is_some() != self.constant_rate {
            return None;
        }
        let mut command = Command::new(program);
        command
            .args(["-t1", "--latency"])
            .arg(format!("-c{}", load.connections))
            .arg(format!("-d{}s", load.seconds));
        if let Some(rate) = load.rate {
            command.arg(format!("-R{rate}"));
        }
        command.arg(&load.url);
        Some(command)
    }

    fn read(&self, printed: &Measured, _folder: &Path) -> Result<Reading> {
        let out = &printed.stdout;
        let total = out
            .lines()
            .find(|line| line.contains(" requests in "))
            .context("no line with a total")?;
        let requests = total
            .split_whitespace()
            .next()
            .and_then(|count| count.parse().ok())
            .context("no total")?;
        // wrk prints whole percents ("99%"), wrk2 exact ones ("99.000%").
        let percentile = |wanted: f64| {
            out.lines().find_map(|line| {
                let (percent, time) = line.trim().split_once('%')?;
                (percent.parse() == Ok(wanted)).then(|| duration_ms(time.trim()))?
            })
        };
        let latency = out
            .lines()
            .find(|line| line.trim_start().starts_with("Latency ") && line.ends_with('%'));
        let max = latency.and_then(|line| duration_ms(line.split_whitespace().nth(3)?));
        Ok(Reading {
            requests,
            rate: number_after(out, "Requests/sec:").context("no rate")?,
            times: Times {
                p50: percentile(50.0),
                p95: spectrum(out, 0.95),
                p99: percentile(99.0),
                max,
            },
            ..Reading::default()
        })
    }
}

/// The first time, ms, in wrk2's detailed spectrum (lines of value, quantile, count, 1/(1-quantile)) that reaches a
/// quantile. wrk prints none, and neither prints this percentile elsewhere.
fn spectrum(out: &str, quantile: f64) -> Option<f64> {
    out.lines().find_map(|line| {
        let fields: Vec<f64> = line
            .split_whitespace()
            .map_while(|field| field.parse().ok())
            .collect();
        (fields.len() >= 3 && fields[1] >= quantile).then(|| fields[0])
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn wrks_output_is_read() {
        // Printed by wrk 4.1.0 (Debian).
        let reading =
            super::super::driver::read_text(&WRK, include_str!("../../../fixtures/wrk.txt"))
                .unwrap();
        assert_eq!((reading.requests, reading.rate), (272_224.0, 90_271.26));
        assert_eq!(
            reading.times,
            Times {
                p50: Some(0.178),
                p95: None,
                p99: Some(7.12),
                max: Some(14.29)
            }
        );
    }

    #[test]
    fn wrk2s_output_is_read() {
        // Printed by wrk2 (wrk 4.0.0).
        let reading =
            super::super::driver::read_text(&WRK2, include_str!("../../../fixtures/wrk2.txt"))
                .unwrap();
        assert_eq!((reading.requests, reading.rate), (5_496.0, 499.53));
        assert_eq!(
            reading.times,
            Times {
                p50: Some(0.704),
                p95: Some(1.437),
                p99: Some(1.87),
                max: Some(2.17)
            }
        );
    }
}
