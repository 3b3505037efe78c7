//! `floodgate schema`: the published JSON Schemas.

use crate::error::Result;
use crate::output::print_json;
use std::process::ExitCode;

/// Arguments of `floodgate schema`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The schema of summaries (summary.json, `show --json`) instead of that of definitions
    #[arg(long)]
    pub summary: bool,
    /// The schema of notifications, which webhooks are sent
    #[arg(long, conflicts_with = "summary")]
    pub notification: bool,
}

/// Prints a schema.
///
/// # Errors
/// A stdout that cannot be written.
pub fn schema(args: &Args) -> Result<ExitCode> {
    if args.summary {
        print_json(&floodgate_records::schema::summary())?;
    } else if args.notification {
        print_json(&floodgate_records::schema::notification())?;
    } else {
        print_json(&floodgate_core::definition::schema())?;
    }
    Ok(ExitCode::SUCCESS)
}
