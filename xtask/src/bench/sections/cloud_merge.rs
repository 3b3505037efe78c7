//! What merging a large run costs: 1,000 tasks, one hour, 20 series, each function a process of its own.
//!
//! An example of `floodgate-control` writes what such a run leaves behind into a folder, and is then the functions, one after
//! the other, in the profile that Lambda is given.

use crate::bench::context::Context;
use crate::bench::process::{Measured, measure};
use crate::bench::table::{Table, number};
use crate::{package, repo};
use anyhow::{Context as _, Result, ensure};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

const EXAMPLE: &str = "merge_at_scale";
/// The longest that a Lambda function may take.
const LIMIT: Duration = Duration::from_secs(15 * 60);
const TASKS: u32 = 1_000;
const SECONDS: u32 = 3_600;

pub(in crate::bench) fn run(context: &Context) -> Result<String> {
    let program = build()?;
    let mut report = format!(
        "\n## Merging a large run\n\n{TASKS} tasks, {SECONDS} s, 20 series, a shard a task and minute; objects in a folder; a function is a process on one core.\n"
    );
    for mix in ["request", "trends"] {
        // Gigabytes: they go when the mix is done, or has failed.
        let folder = tempfile::tempdir_in(&context.scratch)?;
        let table = mix_of(context, &program, folder.path(), mix)?;
        report.push_str(&format!("\nMix `{mix}`:\n\n{table}"));
    }
    Ok(report)
}

/// Builds the example and returns its path.
fn build() -> Result<PathBuf> {
    let arguments = [
        "build",
        "--locked",
        "--profile",
        package::PROFILE,
        "-p",
        "floodgate-control",
        "--example",
        EXAMPLE,
    ];
    let status = repo::cargo(&arguments)
        .status()
        .context("run cargo build")?;
    ensure!(status.success(), "cargo {}: {status}", arguments.join(" "));
    let folder = repo::target_dir()?.join(package::PROFILE);
    Ok(folder.join("examples").join(EXAMPLE))
}

/// Sums and maxima over the functions of one kind.
#[derive(Default)]
struct Kind {
    runs: u32,
    cpu: Duration,
    cpu_max: Duration,
    peak_rss_bytes: u64,
}

impl Kind {
    fn add(&mut self, one: &Measured) {
        self.runs += 1;
        self.cpu += one.cpu;
        self.cpu_max = self.cpu_max.max(one.cpu);
        self.peak_rss_bytes = self.peak_rss_bytes.max(one.peak_rss_bytes);
    }

    fn row(&self, table: &mut Table, name: &str) {
        table.row([
            name.to_owned(),
            self.runs.to_string(),
            number(Some(self.cpu.as_secs_f64()), 1),
            number(Some(self.cpu_max.as_secs_f64()), 1),
            number(Some(self.peak_rss_bytes as f64 / f64::from(1 << 20)), 0),
        ]);
    }
}

fn mix_of(context: &Context, program: &Path, folder: &Path, mix: &str) -> Result<String> {
    let call = |arguments: &[&str]| -> Result<Measured> {
        let mut command = Command::new(program);
        command
            .args([arguments[0]])
            .arg(folder)
            .args(&arguments[1..]);
        let measured = measure(&command, context.cores.client, LIMIT, None)?;
        ensure!(
            measured.success,
            "{EXAMPLE} {}: {}",
            arguments.join(" "),
            measured.stderr.trim()
        );
        eprintln!("{}: {}", arguments.join(" "), measured.stdout.trim());
        Ok(measured)
    };
    call(&["write", mix, &TASKS.to_string(), &SECONDS.to_string()])?;
    let (mut plan, mut part, mut finish) = (Kind::default(), Kind::default(), Kind::default());
    let planned = call(&["plan"])?;
    plan.add(&planned);
    let parts: u32 = planned
        .stdout
        .trim()
        .parse()
        .context("the number of parts")?;
    for n in 0..parts {
        part.add(&call(&["part", &n.to_string()])?);
    }
    let finished = call(&["finish"])?;
    finish.add(&finished);
    let mut all = Kind::default();
    for kind in [&plan, &part, &finish] {
        all.runs += kind.runs;
        all.cpu += kind.cpu;
        all.cpu_max = all.cpu_max.max(kind.cpu_max);
        all.peak_rss_bytes = all.peak_rss_bytes.max(kind.peak_rss_bytes);
    }
    let mut table = Table::new(&[
        "Function",
        "Runs",
        "CPU s",
        "of one at most",
        "Peak RSS MiB",
    ]);
    for (name, kind) in [
        ("merge, plan", &plan),
        ("merge, part", &part),
        ("finish", &finish),
        ("all", &all),
    ] {
        kind.row(&mut table, name);
    }
    Ok(format!(
        "{}\nOutcome: {}\n",
        table.finish(),
        finished.stdout.trim()
    ))
}
