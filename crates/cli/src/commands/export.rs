//! `floodgate export`: a run into the stores where a team already looks.

use crate::args::{CloudArgs, EnvArgs, OutArgs, ProjectArgs};
use crate::env::Environment;
use crate::error::{CliError, Result};
use crate::export::{of_arguments, warn};
use crate::local::{adopt_or_say, merge_late_or_say};
use crate::output::{counted, place, print};
use crate::stores::Executions;
use floodgate_control::find_in;
use floodgate_export::Patience;
use floodgate_exporter::{Told, export_stored};
use std::process::ExitCode;

/// Arguments of `floodgate export`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The execution's id, or the beginning of it
    #[arg(value_name = "ID")]
    pub id: String,
    /// Where to: influxdb://HOST:PORT/DB, statsd://HOST:PORT, postgres://USER@HOST/DB, prometheus+http://HOST:PORT, otlp+http://HOST:PORT, cloudwatch://NAMESPACE, file:PATH.csv (.jsonl, .hlog, .json); repeatable
    #[arg(long = "to", value_name = "URL", required = true)]
    pub to: Vec<String>,
    /// Values of ${env:NAME} in URLs.
    #[command(flatten)]
    pub env: EnvArgs,
    /// Whose execution.
    #[command(flatten)]
    pub project: ProjectArgs,
    /// Where executions are kept.
    #[command(flatten)]
    pub out: OutArgs,
    /// Where it ran.
    #[command(flatten)]
    pub cloud: CloudArgs,
}

/// Exports an execution that has ended to each target, and prints what it took.
///
/// # Errors
/// A URL that is not valid, an unknown id, an execution that has not ended, and a sink that did not take everything.
pub async fn export(args: Args) -> Result<ExitCode> {
    let env = Environment::new(&args.env, &args.out.out)?;
    let targets = of_arguments(&args.to, &env)?;
    let executions = Executions::open(&args.cloud, &args.project, &args.out).await?;
    let stores = executions.stores();
    let mut execution = find_in(stores, args.project.project.as_deref(), &args.id).await?;
    if let Some(folder) = executions.folder() {
        execution = adopt_or_say(stores, folder, execution, &env).await;
        execution = merge_late_or_say(stores, execution, &env).await;
    }
    if !execution.status.is_final() {
        let what = format!("execution {}", execution.id);
        let status = execution.status.as_str();
        let problem = format!("is {status}; export it when it has ended");
        return Err(CliError::run(what, problem));
    }
    let place = match executions.folder() {
        Some(_) => place(&args.out.out),
        None => " --cloud".to_owned(),
    };
    let mut all: Vec<Told> = Vec::new();
    for target in &targets {
        // boxed: its future is large
        let told = Box::pin(export_stored(
            stores,
            &execution,
            target,
            Patience::default(),
            None,
        ))
        .await?;
        let rows = counted(told.report.taken, "row");
        print(&format!("{}: {rows}\n", told.url))?;
        // At once: nothing that happens to another sink may hide it.
        warn(&execution.id, &place, std::slice::from_ref(&told));
        all.push(told);
    }
    let failed = all.iter().filter(|told| told.problem().is_some()).count() as u64;
    match failed {
        0 => Ok(ExitCode::SUCCESS),
        _ => {
            let what = format!("export execution {}", execution.id);
            let of = counted(all.len() as u64, "target");
            Err(CliError::run(
                what,
                format!("{failed} of {of} did not take everything"),
            ))
        }
    }
}
