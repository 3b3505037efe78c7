//! `floodgate show`: an execution again.

use crate::args::{CloudArgs, EnvArgs, OutArgs, ProjectArgs};
use crate::env::Environment;
use crate::error::{CliError, Result};
use crate::local::{adopt_or_say, merge_late_or_say};
use crate::outcome::{print_summary, print_summary_json, without_summary};
use crate::output::{print, print_json, print_styled};
use crate::stores::Executions;
use floodgate_control::{Stores, find_in, load_failures, load_summary};
use floodgate_records::execution::Execution;
use floodgate_report::Style;
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
    /// Print only the summary, as JSON; with --failures, the samples
    #[arg(long)]
    pub json: bool,
    /// Show the samples of failures: what was sent, what came back, which checks did not hold
    #[arg(long)]
    pub failures: bool,
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
    let executions = Executions::open(&args.cloud, &args.project, &args.out).await?;
    let stores = executions.stores();
    let project = args.project.project.as_deref();
    let mut execution = find_in(stores, project, &args.id).await?;
    if let Some(folder) = executions.folder() {
        let env = Environment::new(&EnvArgs::default(), &args.out.out)?;
        execution = adopt_or_say(stores, folder, execution, &env).await;
        execution = merge_late_or_say(stores, execution, &env).await;
    }
    if args.failures {
        return show_failures(stores, &execution, args.json).await;
    }
    let summary = load_summary(stores, &execution.project, &execution.id).await?;
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

async fn show_failures(stores: &Stores, execution: &Execution, json: bool) -> Result<ExitCode> {
    let objects = stores.objects.as_ref();
    let log = load_failures(objects, &execution.project, &execution.id).await?;
    let log = log.unwrap_or_default();
    if json {
        print_json(&log)?;
    } else {
        print_styled(&floodgate_report::failures(&log, Style::of_stdout()))?;
    }
    Ok(ExitCode::SUCCESS)
}
