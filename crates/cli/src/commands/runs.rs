//! `floodgate runs`: executions, the newest first.

use crate::args::OutArgs;
use crate::error::Result;
use crate::local::open;
use crate::output::{print, print_json};
use floodgate_report::Style;
use std::process::ExitCode;

/// Arguments of `floodgate runs`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only those of this test
    #[arg(long, value_name = "NAME")]
    pub test: Option<String>,
    /// How many at most
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub limit: usize,
    /// The whole records, as a JSON array
    #[arg(long)]
    pub json: bool,
    /// Where executions are kept.
    #[command(flatten)]
    pub out: OutArgs,
}

/// Lists executions.
///
/// # Errors
/// Records that cannot be read.
pub async fn runs(args: Args) -> Result<ExitCode> {
    let runs = if args.out.out.is_dir() {
        let (stores, _) = open(&args.out.out)?;
        let listed = stores
            .records
            .list(None, args.test.as_deref(), args.limit)
            .await;
        listed.map_err(floodgate_control::ControlError::from)?
    } else {
        Vec::new()
    };
    if args.json {
        print_json(&runs)?;
    } else if runs.is_empty() {
        eprintln!(
            "no executions in {}; start one with floodgate run FILE",
            args.out.out.display()
        );
    } else {
        print(&floodgate_report::runs(&runs, Style::of_stdout()))?;
    }
    Ok(ExitCode::SUCCESS)
}
