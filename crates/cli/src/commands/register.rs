//! `floodgate register`: uploads a test without running it, so that schedules and pipelines run this version from now on.

use super::run::{for_cloud, package_for_cloud, show_estimate};
use crate::args::{CloudArgs, EnvArgs, LoadArgs, OutArgs};
use crate::cloud::{Dry, PACE, StartRequest, connect, estimate};
use crate::error::Result;
use crate::trigger::trigger;
use std::path::PathBuf;
use std::process::ExitCode;

/// Arguments of `floodgate register`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The definition, YAML or JSON, - for standard input; or a script: test.js, plan.jmx, simulation.jar, a Maven or Gradle project
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Values of references.
    #[command(flatten)]
    pub env: EnvArgs,
    /// Print the estimate as JSON
    #[arg(long)]
    pub json: bool,
    /// Where the connection file is.
    #[command(flatten)]
    pub out: OutArgs,
    /// The stack.
    #[command(flatten)]
    pub cloud: CloudArgs,
}

/// Registers a test. What a run of it would take and cost is told, since it was prepared like one.
///
/// # Errors
/// See [`CliError`](crate::CliError); what would keep a run of it from being started.
pub async fn register(args: Args) -> Result<ExitCode> {
    let out = &args.out.out;
    let (env, test) = for_cloud(&args.file, &[], &LoadArgs::default(), &args.env, out)?;
    let package = package_for_cloud(&test);
    let cloud = connect(&args.cloud, Some(&package.definition.project), out).await?;
    let mut trigger = trigger(|name| env.variable(name));
    trigger.principal = Some(cloud.caller.clone());
    let id = ulid::Ulid::generate().to_string();
    let request = StartRequest {
        id: &id,
        test: &package,
        env: &env,
        trigger,
    };
    let registered = estimate(
        &request,
        Dry::Registered,
        &cloud.stores,
        &cloud.machine,
        PACE,
    );
    show_estimate(&Box::pin(registered).await?, args.json)
}
