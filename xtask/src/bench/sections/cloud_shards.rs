//! What delivering shards to S3 costs a generator at full load, beside delivering them to a folder.

use crate::bench::context::{self, Context};
use crate::bench::process::{measure, pinned};
use crate::bench::server::Server;
use crate::bench::stats::median;
use crate::bench::table::{Table, number};
use crate::repo;
use anyhow::{Context as _, Result, ensure};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Beyond the time of the load, for starting and ending.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a run printed.
struct Run {
    requests: f64,
    cpu_s: f64,
    /// Of the thread that reads and writes objects.
    control_s: f64,
}

impl Run {
    fn parse(line: &str) -> Option<Self> {
        let mut numbers = line.split_whitespace().map(str::parse);
        let mut next = || numbers.next()?.ok();
        Some(Self {
            requests: next()?,
            cpu_s: next()?,
            control_s: next()?,
        })
    }
}

pub(in crate::bench) fn run(context: &Context) -> Result<String> {
    context::build(false)?;
    let arguments = [
        "build",
        "--locked",
        "--profile=dist",
        "-p",
        "floodgate-generator",
        "--example",
        "shards",
    ];
    let status = repo::cargo(&arguments)
        .status()
        .context("run cargo build")?;
    ensure!(status.success(), "cargo {}: {status}", arguments.join(" "));
    compare(context, &repo::target_dir()?.join("dist/examples/shards"))
}

fn compare(context: &Context, program: &Path) -> Result<String> {
    let server = Server::start(context, &["fast"])?;
    let sink = Sink::start(context, program)?;
    let (mut folder, mut s3) = (Vec::new(), Vec::new());
    for _ in 0..context.rounds {
        let place = tempfile::tempdir_in(&context.scratch)?;
        let place = place.path().to_str().context("the folder is not UTF-8")?;
        folder.push(one(context, program, ["folder", &server.url, place])?);
        s3.push(one(context, program, ["s3", &server.url, &sink.url])?);
    }
    let mut table = Table::new(&[
        "Objects in",
        "Requests/s",
        "CPU µs/request",
        "min",
        "max",
        "control thread, % of CPU",
    ]);
    for (name, runs) in [("a folder", &folder), ("S3", &s3)] {
        let us = || runs.iter().map(|run| run.cpu_s * 1e6 / run.requests);
        let rate = runs.iter().map(|r| r.requests / f64::from(context.seconds));
        table.row([
            name.to_owned(),
            number(median(rate), 0),
            number(median(us()), 3),
            number(us().min_by(f64::total_cmp), 3),
            number(us().max_by(f64::total_cmp), 3),
            number(
                median(runs.iter().map(|r| 100.0 * r.control_s / r.cpu_s)),
                2,
            ),
        ]);
    }
    Ok(format!(
        "\n## Shards to S3\n\nClosed loop, 64 connections, one worker thread; a shard each 10 s, a live object each 2 s.\n\n{}",
        table.finish()
    ))
}

fn one(context: &Context, program: &Path, [kind, url, place]: [&str; 3]) -> Result<Run> {
    let mut command = Command::new(program);
    command.args([kind, url, &context.seconds.to_string(), place]);
    credentials(&mut command, place);
    let limit = Duration::from_secs(context.seconds.into()) + PATIENCE;
    let measured = measure(&command, context.cores.client, limit, None)?;
    ensure!(measured.success, "{kind}: {}", measured.stderr.trim());
    Run::parse(&measured.stdout).with_context(|| format!("{kind}: printed {:?}", measured.stdout))
}

/// Nobody's; an endpoint that is a folder's name is never asked.
fn credentials(command: &mut Command, endpoint: &str) {
    command.envs([
        ("AWS_ENDPOINT_URL", endpoint),
        ("AWS_REGION", "eu-west-1"),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
    ]);
}

/// The stand-in for S3, beside the server, until this is dropped.
struct Sink {
    child: Child,
    url: String,
}

impl Sink {
    fn start(context: &Context, program: &Path) -> Result<Self> {
        let mut command = Command::new(program);
        command.arg("sink");
        let mut child = pinned(&command, context.cores.server)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("start {}", program.display()))?;
        let stdout = child.stdout.take().context("its output is not captured")?;
        // From here on dropping stops it, whatever it printed.
        let mut sink = Self {
            child,
            url: String::new(),
        };
        BufReader::new(stdout).read_line(&mut sink.url)?;
        sink.url.truncate(sink.url.trim_end().len());
        ensure!(
            sink.url.starts_with("http://"),
            "the stand-in for S3 printed {:?}",
            sink.url
        );
        Ok(sink)
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        // Both fail only if it has ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_three_numbers() {
        let run = Run::parse("1000 2.5 0.25\n").unwrap();
        assert_eq!(
            (run.requests, run.cpu_s, run.control_s),
            (1_000.0, 2.5, 0.25)
        );
        assert!(Run::parse("1000 2.5").is_none() && Run::parse("a b c").is_none());
    }
}
