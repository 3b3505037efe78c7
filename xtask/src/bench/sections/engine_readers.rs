//! What reading the output of k6, JMeter and Gatling takes, and that its memory does not grow with the output.

use crate::bench::context::Context;
use crate::bench::process::measure;
use crate::bench::table::{Table, number};
use crate::repo;
use anyhow::{Context as _, Result, ensure};
use std::process::Command;
use std::time::Duration;

/// Far longer than the slowest format takes for 2 GB.
const PATIENCE: Duration = Duration::from_secs(1_800);

/// Formats as the example calls them, and as the table does.
const FORMATS: [(&str, &str); 6] = [
    ("k6-json", "k6, JSON"),
    ("k6-csv", "k6, CSV"),
    ("jtl-csv", "JMeter, CSV"),
    ("jtl-xml", "JMeter, XML"),
    ("gatling-text", "Gatling, text"),
    ("gatling-binary", "Gatling, binary"),
];

/// What a run printed.
struct Run {
    bytes: f64,
    records: f64,
    seconds: f64,
    cpu_s: f64,
    early_rss_bytes: f64,
    rss_bytes: f64,
}

impl Run {
    fn parse(line: &str) -> Option<Self> {
        let mut numbers = line.split_whitespace().map(str::parse);
        let mut next = || numbers.next()?.ok();
        Some(Self {
            bytes: next()?,
            records: next()?,
            seconds: next()?,
            cpu_s: next()?,
            early_rss_bytes: next()?,
            rss_bytes: next()?,
        })
    }
}

/// Every format, with the names of a recording or, with `new_names`, with a name of its own for each request.
pub(in crate::bench) fn run(context: &Context, new_names: bool) -> Result<String> {
    let arguments = [
        "build",
        "--locked",
        "--profile=dist",
        "-p",
        "floodgate-engines",
        "--example",
        "readers",
    ];
    let status = repo::cargo(&arguments)
        .status()
        .context("run cargo build")?;
    ensure!(status.success(), "cargo {}: {status}", arguments.join(" "));
    let program = repo::target_dir()?.join("dist/examples/readers");
    let mut table = Table::new(&[
        "Output",
        "MB",
        "Records",
        "s",
        "CPU s",
        "MB/CPU s",
        "Records/CPU s",
        "Peak MiB at 10 %",
        "at 100 %",
    ]);
    let labels = if new_names { "names" } else { "same" };
    for (format, name) in FORMATS {
        eprintln!("   {format}, {labels}");
        let mut command = Command::new(&program);
        command.args([format, &context.bytes.to_string(), labels]);
        let measured = measure(&command, context.cores.client, PATIENCE, None)?;
        ensure!(measured.success, "{format}: {}", measured.stderr.trim());
        let run = Run::parse(&measured.stdout)
            .with_context(|| format!("{format}: printed {:?}", measured.stdout))?;
        let mib = |bytes: f64| number(Some(bytes / f64::from(1 << 20)), 1);
        table.row([
            name.to_owned(),
            number(Some(run.bytes / 1e6), 0),
            number(Some(run.records), 0),
            number(Some(run.seconds), 1),
            number(Some(run.cpu_s), 1),
            number(Some(run.bytes / run.cpu_s / 1e6), 0),
            number(Some(run.records / run.cpu_s), 0),
            mib(run.early_rss_bytes),
            mib(run.rss_bytes),
        ]);
    }
    let (title, what) = if new_names {
        (
            "Reading engines' output: a new name for each request",
            "The same, but no two requests have one name: what a script without names does.",
        )
    } else {
        (
            "Reading engines' output",
            "Recordings of the real tools over and over, 10,000 records a second of their time (binary: 20,000), made up while they \
             are read in pieces of 64 KiB; what is over is closed after each. Times are those of the reader and its collector alone.",
        )
    };
    Ok(format!("\n## {title}\n\n{what}\n\n{}", table.finish()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_a_line_of_numbers() {
        let run = Run::parse("2000 10 1.5 1.25 4096 8192 131\n").unwrap();
        assert_eq!(
            (run.bytes, run.records, run.seconds, run.cpu_s),
            (2_000.0, 10.0, 1.5, 1.25)
        );
        assert_eq!((run.early_rss_bytes, run.rss_bytes), (4_096.0, 8_192.0));
        assert!(Run::parse("2000 10 1.5").is_none());
    }
}
