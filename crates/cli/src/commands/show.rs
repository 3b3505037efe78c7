//! `floodgate show`: an execution again.

use crate::args::{CloudArgs, EnvArgs, OutArgs, ProjectArgs};
use crate::env::Environment;
use crate::error::{CliError, Result};
use crate::local::{adopt_or_say, merge_late_or_say};
use crate::outcome::{print_summary, print_summary_json, without_summary};
use crate::output::{print, print_json, print_styled};
use crate::stores::Executions;
use floodgate_control::{Stores, find_in, load_failures, load_series, load_summary};
use floodgate_core::execution::summarise::{REQUEST_METRICS, requests_by};
use floodgate_records::execution::Execution;
use floodgate_records::requests::RequestsBy;
use floodgate_report::Style;
use std::collections::BTreeSet;
use std::process::ExitCode;
use std::time::Duration;

/// Arguments of `floodgate show`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The execution's id, or the beginning of it
    #[arg(value_name = "ID")]
    pub id: String,
    /// Whose execution.
    #[command(flatten)]
    pub project: ProjectArgs,
    /// Print only the summary, as JSON; with --failures, the samples; with --by, the requests
    #[arg(long)]
    pub json: bool,
    /// Show the samples of failures: what was sent, what came back, which checks did not hold
    #[arg(long)]
    pub failures: bool,
    /// Show the requests by this tag: name, status, scenario, error_code, group, method, or one of the test's own
    #[arg(long, value_name = "TAG", conflicts_with = "failures")]
    pub by: Option<String>,
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
    if let Some(tag) = &args.by {
        return show_by(stores, &execution, tag, args.json).await;
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

/// Shows requests by the values of a tag, of whatever the run measured.
async fn show_by(
    stores: &Stores,
    execution: &Execution,
    tag: &str,
    json: bool,
) -> Result<ExitCode> {
    let problem = |problem: String| {
        let what = format!("execution {}", execution.id);
        Err(CliError::run(what, problem))
    };
    let Some(series) = load_series(stores, execution, &REQUEST_METRICS).await? else {
        let status = execution.status.as_str();
        return problem(format!("is {status}, and what it measured is not here"));
    };
    let tags: BTreeSet<&str> = series
        .0
        .keys()
        .flat_map(|key| key.tags.0.keys().map(String::as_str))
        .collect();
    if !tags.is_empty() && !tags.contains(tag) {
        let tags = tags.into_iter().collect::<Vec<_>>().join(", ");
        return problem(format!("no request has the tag {tag}; there are {tags}"));
    }
    let found = RequestsBy {
        schema: RequestsBy::SCHEMA,
        execution: execution.id.clone(),
        by: tag.to_owned(),
        requests: requests_by(&series, tag, Duration::ZERO),
    };
    match (json, found.requests.is_empty()) {
        (true, _) => print_json(&found)?,
        (_, true) => print("no requests\n")?,
        _ => print_styled(&floodgate_report::requests_by(&found, Style::of_stdout()))?,
    }
    Ok(ExitCode::SUCCESS)
}
