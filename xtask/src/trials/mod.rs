//! `cargo xtask trials`: how often statistics are right on runs that are real. It prints the tables of `docs/`.
//!
//! The program runs again and again against `floodgate-testserver`, whose answers are known by construction. Unlike a simulation it can't be
//! repeated: whatever else the machine does is part of it.

mod capacity;
mod compare;
mod paired;
mod queue;
mod session;

use anyhow::Result;
use session::Session;
use std::path::PathBuf;

/// Arguments of `cargo xtask trials`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// What is tried
    #[arg(value_enum)]
    what: What,
    /// Runs of each row of the table [default: 40, 100 or 10]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    runs: Option<u32>,
    /// Seconds of a run, at least the two minutes that an interval takes; a search for the capacity takes as long as it takes
    #[arg(long, default_value_t = 150, value_parser = clap::value_parser!(u32).range(120..=3_600))]
    seconds: u32,
    /// Seed of the first server's answers; each server has the next one
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Try this program instead of building the one of this tree
    #[arg(long, value_name = "PROGRAM")]
    floodgate: Option<PathBuf>,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum What {
    /// Runs of a service that does not change, then half as many of one that is 10 % slower, each against the ten before it
    Compare,
    /// Two targets in turns: equal ones, then a fifth as many where one is 10 % slower
    Paired,
    /// Searches for capacities that are known
    Capacity,
}

/// Runs it and prints a table in Markdown.
///
/// # Errors
/// If something cannot be built or started, or a run ends without a summary.
pub(crate) fn run(options: &Options) -> Result<()> {
    let session = Session::prepare(options.floodgate.as_deref(), options.seed)?;
    let runs = |usual| options.runs.unwrap_or(usual);
    match options.what {
        What::Compare => compare::run(&session, runs(40), options.seconds),
        What::Paired => paired::run(&session, runs(100), options.seconds),
        What::Capacity => capacity::run(&session, runs(10)),
    }
}
