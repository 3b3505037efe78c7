//! `floodgate show`: an execution again.

use crate::args::{CloudArgs, OutArgs, ProjectArgs};
use crate::cloud::connect;
use crate::error::{CliError, Result};
use crate::local::open_existing;
use crate::outcome::{print_summary, print_summary_json, without_summary};
use crate::output::print;
use floodgate_control::{find_in, load_summary};
use std::process::ExitCode;

/// Arguments of `floodgate show`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The execution's id, or the beginning of it
    #[arg(value_name = "ID")]
    pub id: String,
    /// Whose execution.
    #[command(flatten)]
    pub project: ProjectArgs,
    /// Print exactly the summary, as JSON
    #[arg(long)]
    pub json: bool,
    /// Where executions are kept.
    #[command(flatten)]
    pub out: OutArgs,
    /// Where it ran.
    #[command(flatten)]
    pub cloud: CloudArgs,
}

/// Shows an execution. The exit code says whether it could be shown, not how it went.
///
/// # Errors
/// An unknown id, and a record or summary that cannot be read.
pub async fn show(args: Args) -> Result<ExitCode> {
    let stores = if args.cloud.cloud {
        connect(&args.cloud, &args.out.out).await?.stores
    } else {
        open_existing(&args.out.out)?
    };
    let project = args.project.project.as_deref();
    let execution = find_in(&stores, project, &args.id).await?;
    let summary = load_summary(&stores, &execution.project, &execution.id).await?;
    let status = execution.status.as_str();
    match summary {
        Some(summary) if args.json => print_summary_json(&summary)?,
        Some(summary) => print_summary(&execution, &summary)?,
        None if args.json => {
            let problem = format!(
                "is {status} and has no summary{}",
                if execution.status.is_final() {
                    ""
                } else {
                    " yet"
                }
            );
            return Err(CliError::run(
                format!("execution {}", execution.id),
                problem,
            ));
        }
        None => print(&format!("{}\n", without_summary(&execution)))?,
    }
    Ok(ExitCode::SUCCESS)
}
