//! `floodgate attach`: following a run in the cloud.

use crate::args::{CloudArgs, EnvArgs, OutArgs, ProjectArgs, ReportArgs, ShowArgs};
use crate::cloud::{connect, follow};
use crate::env::Environment;
use crate::error::Result;
use crate::outcome::conclude_cloud;
use crate::reports::ReportFiles;
use crate::signals::Signals;
use floodgate_control::{ControlError, find_in};
use std::process::ExitCode;

/// Arguments of `floodgate attach`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The execution's id, or the beginning of it
    #[arg(value_name = "ID")]
    pub id: String,
    /// Whose execution.
    #[command(flatten)]
    pub project: ProjectArgs,
    /// What is written beside.
    #[command(flatten)]
    pub reports: ReportArgs,
    /// Values of references.
    #[command(flatten)]
    pub env: EnvArgs,
    /// Where the stack's names are kept.
    #[command(flatten)]
    pub out: OutArgs,
    /// The stack; `--cloud` may be left out.
    #[command(flatten)]
    pub cloud: CloudArgs,
    /// What is shown.
    #[command(flatten)]
    pub show: ShowArgs,
}

/// Follows a run to its end; its verdict is the exit code.
///
/// # Errors
/// An unknown id, a run that ended without a record, and what the services refuse.
pub async fn attach(args: Args) -> Result<ExitCode> {
    let files = ReportFiles::open(&args.reports)?;
    let cloud = connect(&args.cloud, args.project.project.as_deref(), &args.out.out).await?;
    let mut signals = Signals::of_a_follower()?;
    let env = Environment::new(&args.env, &args.out.out)?.leaving_secrets_open();
    let project = args.project.project;
    let (id, project) = match find_in(&cloud.stores, project.as_deref(), &args.id).await {
        Ok(execution) => (execution.id, Some(execution.project)),
        // A run that has just been started has no record yet; the state machine knows it.
        Err(ControlError::UnknownExecution { .. }) if ulid::Ulid::from_string(&args.id).is_ok() => {
            (args.id.to_uppercase(), project)
        }
        Err(error) => return Err(error.into()),
    };
    let run = cloud.following(&id, project, &env, args.show);
    let ended = follow(run, &mut signals).await?;
    Ok(conclude_cloud(&ended, &cloud.stores, args.show, &files).await)
}
