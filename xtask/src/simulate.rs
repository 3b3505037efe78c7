//! `cargo xtask simulate`: how often statistics are right, by simulated runs. It prints the tables of `docs/`.

use crate::repo;
use anyhow::{Result, ensure};

/// Arguments of `cargo xtask simulate`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// What is simulated
    #[arg(value_parser = ["compare", "paired", "capacity", "soak"])]
    what: String,
    /// Trials for each row of the table, at least 4
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(4..))]
    trials: u32,
}

/// Runs it, optimised: it takes minutes as it is.
///
/// # Errors
/// If it can't be built or fails.
pub(crate) fn run(options: &Options) -> Result<()> {
    let mut simulate = repo::cargo(&[
        "run",
        "--release",
        "--quiet",
        "--locked",
        "--package=floodgate-core",
        "--example=simulate",
        "--",
    ]);
    simulate.args([&options.what, &options.trials.to_string()]);
    let status = simulate.status()?;
    ensure!(status.success(), "the simulation ended with {status}");
    Ok(())
}
