//! `floodgate doctor`: what is missing or misconfigured, each with its remedy.

use crate::args::{CloudArgs, OutArgs};
use crate::doctor;
use crate::error::Result;
use crate::output::{print_json, print_styled};
use floodgate_report::Style;
use floodgate_report::doctor::Diagnosis;
use std::process::ExitCode;

/// Arguments of `floodgate doctor`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Print the findings as JSON
    #[arg(long)]
    pub json: bool,
    /// With --cloud: check permissions for this project
    #[arg(long, value_name = "NAME")]
    pub project: Option<String>,
    /// Where executions are to be kept.
    #[command(flatten)]
    pub out: OutArgs,
    /// The stack; with `--cloud` the account is looked at, too.
    #[command(flatten)]
    pub cloud: CloudArgs,
}

/// Looks at this machine, and at the account if that is asked for; says what it found.
///
/// # Errors
/// Output that cannot be written: what is wrong with machine or account is not an error, but its exit code.
pub async fn doctor(args: Args) -> Result<ExitCode> {
    let mut checks = doctor::here(&args.out.out);
    if args.cloud.cloud {
        let project = args.project.as_deref();
        checks.extend(Box::pin(doctor::account(&args.cloud, project, &args.out.out)).await);
    }
    let diagnosis = Diagnosis { checks };
    if args.json {
        print_json(&diagnosis.json())?;
    } else {
        print_styled(&diagnosis.text(Style::of_stdout()))?;
    }
    Ok(ExitCode::from(diagnosis.exit_code()))
}
