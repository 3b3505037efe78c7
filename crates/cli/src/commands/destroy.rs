//! `floodgate destroy`: a stack's end.

use crate::args::{OutArgs, StackArgs};
use crate::deploy::{Destroy, destroy as destroying};
use crate::error::Result;
use std::process::ExitCode;

/// Arguments of `floodgate destroy`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Which stack.
    #[command(flatten)]
    pub stack: StackArgs,
    /// Also delete the bucket with all results and the table with all records
    #[arg(long)]
    pub delete_results: bool,
    /// Don't ask for confirmation
    #[arg(long, short)]
    pub yes: bool,
    /// Show what would be removed and what would stay, and do nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Where the connection file lies.
    #[command(flatten)]
    pub out: OutArgs,
}

/// Destroys.
///
/// # Errors
/// Runs that are on, a no, what is refused. The same command goes on from there.
pub async fn destroy(args: Args) -> Result<ExitCode> {
    Box::pin(destroying(&Destroy {
        stack: args.stack,
        delete_results: args.delete_results,
        yes: args.yes,
        dry_run: args.dry_run,
        out: args.out.out,
    }))
    .await?;
    Ok(ExitCode::SUCCESS)
}
