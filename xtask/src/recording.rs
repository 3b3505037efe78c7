//! `cargo xtask recording`: the demo in a terminal, as the animated picture that README shows.

use crate::{python, repo};
use anyhow::{Context as _, Result, anyhow, ensure};
use std::path::PathBuf;
use std::process::Command;

/// Arguments of `cargo xtask recording`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Program to record [default: `target/release/floodgate`]
    #[arg(long, value_name = "FILE")]
    program: Option<PathBuf>,
    /// Where the picture goes
    #[arg(long, value_name = "FILE", default_value = "docs/demo.svg")]
    out: PathBuf,
}

/// Wide enough for every line of the demo, and tall enough for what follows its thresholds.
const SIZE: [&str; 2] = ["100", "46"];
/// Twenty seconds are too long to look at.
const SPEED: &str = "2";
/// The terminal's interpreter; the version is part of the environment's name.
const PACKAGES: [&str; 1] = ["pyte==0.8.2"];
const ENVIRONMENT: &str = "recording-1";
const OLDEST_PYTHON: u32 = 9;

/// Records it.
///
/// # Errors
/// If there is no Python, no program, or the demo does not pass.
pub(crate) fn run(options: &Options) -> Result<()> {
    let base = python::find(|minor| minor >= OLDEST_PYTHON).context("there is no Python 3")?;
    let python = python::environment(ENVIRONMENT, &base, &PACKAGES).map_err(|why| anyhow!(why))?;
    let program = match &options.program {
        Some(program) => program.clone(),
        None => repo::target_dir()?.join("release/floodgate"),
    };
    let program = program
        .canonicalize()
        .with_context(|| format!("{}: run `cargo build --release` first", program.display()))?;
    let out = std::path::absolute(&options.out)?;
    let script = repo::root().join("xtask/src/recording/record.py");
    // A folder of its own: paths in the picture are those of somebody who has just begun.
    let folder = tempfile::tempdir()?;
    let status = Command::new(python)
        .arg(script)
        .args(SIZE)
        .arg(SPEED)
        .arg(out)
        .arg("floodgate demo")
        .arg(program)
        .arg("demo")
        .current_dir(folder.path())
        .status()?;
    ensure!(status.success(), "the recording failed");
    Ok(())
}
