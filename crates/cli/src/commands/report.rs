//! `floodgate report`: the account of an execution for whoever was not there.

use crate::args::{CloudArgs, EnvArgs, OutArgs, ProjectArgs, ReportArgs};
use crate::env::Environment;
use crate::error::{CliError, Result};
use crate::local::{adopt_or_say, merge_late_or_say, write_page};
use crate::outcome::{report_path, without_summary};
use crate::output::print;
use crate::reports::ReportFiles;
use crate::stores::Executions;
use floodgate_control::{find_in, load_summary};
use std::path::Path;
use std::process::ExitCode;

/// Arguments of `floodgate report`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The execution's id, or the beginning of it
    #[arg(value_name = "ID")]
    pub id: String,
    /// Whose execution.
    #[command(flatten)]
    pub project: ProjectArgs,
    /// What is written; without any, the page beside the summary.
    #[command(flatten)]
    pub reports: ReportArgs,
    /// Where executions are kept.
    #[command(flatten)]
    pub out: OutArgs,
    /// Where it ran.
    #[command(flatten)]
    pub cloud: CloudArgs,
}

/// Writes the report of an execution that has ended, in each form that is asked for; without any, the page in the execution's folder, whose
/// path is printed.
///
/// # Errors
/// An unknown id, an execution without a summary, and a file that cannot be written.
pub async fn report(args: Args) -> Result<ExitCode> {
    if args.cloud.cloud && !args.reports.any() {
        let problem = "the report of a run in the cloud lies in the bucket: --html FILE writes it here, --markdown FILE its summary";
        return Err(CliError::usage(problem));
    }
    let files = ReportFiles::open(&args.reports)?;
    let executions = Executions::open(&args.cloud, &args.project, &args.out).await?;
    let stores = executions.stores();
    let mut execution = find_in(stores, args.project.project.as_deref(), &args.id).await?;
    if let Some(folder) = executions.folder() {
        let env = Environment::new(&EnvArgs::default(), &args.out.out)?;
        execution = adopt_or_say(stores, folder, execution, &env).await;
        execution = merge_late_or_say(stores, execution, &env).await;
    }
    let summary = load_summary(stores, &execution.project, &execution.id).await?;
    let summary = summary.ok_or_else(|| {
        let what = format!("write the report of {}", execution.id);
        CliError::run(what, without_summary(&execution))
    })?;
    let place = report_path(&execution, &args.out.out);
    if !args.reports.any() {
        let written = write_page(stores, &execution, &summary).await;
        written.map_err(|error| CliError::run(format!("report of {}", execution.id), error))?;
        print(&format!("{place}\n"))?;
        return Ok(ExitCode::SUCCESS);
    }
    // What is written here, else what the run has: as `run --markdown` says.
    let html = args.reports.html.as_ref();
    let own = || executions.folder().is_some() && Path::new(&place).is_file();
    let place = match html {
        Some(html) => Some(html.display().to_string()),
        None => own().then(|| place.clone()),
    };
    let failed = files
        .write(stores, &execution, &summary, place.as_deref())
        .await;
    match failed.into_iter().next() {
        Some(error) => Err(error),
        None => Ok(ExitCode::SUCCESS),
    }
}
