//! `floodgate runs`: executions, the newest first.

mod prune;

use crate::args::{CloudArgs, EnvArgs, OutArgs, ProjectArgs};
use crate::env::Environment;
use crate::error::Result;
use crate::local::adopt_or_say;
use crate::output::{print_json, print_styled, say, say_damaged};
use crate::stores::Executions;
use floodgate_report::Style;
use floodgate_store::Listing;
use std::process::ExitCode;

/// Arguments of `floodgate runs`.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Args {
    /// What to do other than to list them.
    #[command(subcommand)]
    pub action: Option<Action>,
    /// Whose executions.
    #[command(flatten)]
    pub project: ProjectArgs,
    /// Only executions of this test
    #[arg(long, value_name = "NAME")]
    pub test: Option<String>,
    /// Maximum number of executions
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub limit: usize,
    /// Print the complete records, as a JSON array
    #[arg(long)]
    pub json: bool,
    /// Where executions are kept.
    #[command(flatten)]
    pub out: OutArgs,
    /// Where they ran.
    #[command(flatten)]
    pub cloud: CloudArgs,
}

/// What to do with executions.
#[derive(Debug, clap::Subcommand)]
pub enum Action {
    /// Delete old executions of this machine
    Prune(prune::Args),
}

/// What was asked for, if not all.
fn which(project: Option<&str>, test: Option<&str>) -> Option<String> {
    match (project, test) {
        (Some(project), Some(test)) => Some(format!("{project}/{test}")),
        (Some(project), None) => Some(format!("project {project}")),
        (None, Some(test)) => Some(format!("test {test}")),
        (None, None) => None,
    }
}

/// Lists executions, or deletes old ones.
///
/// # Errors
/// A folder of records that cannot be read, or a service that refuses. A record that cannot be read is left out, and named.
pub async fn runs(args: Args) -> Result<ExitCode> {
    if let Some(Action::Prune(args)) = args.action {
        return prune::prune(args).await;
    }
    // A folder that is not there yet has no executions, which is no fault of whoever asks.
    let known = args.cloud.cloud || args.out.out.is_dir();
    let executions = match known {
        true => Some(Executions::open(&args.cloud, &args.project, &args.out).await?),
        false => None,
    };
    let (project, test) = (args.project.project.as_deref(), args.test.as_deref());
    let Listing { mut runs, damaged } = match &executions {
        Some(executions) => {
            let records = &executions.stores().records;
            records.list(project, test, args.limit).await?
        }
        None => Listing::default(),
    };
    if let Some(Executions::Local { stores, folder }) = &executions {
        let env = Environment::new(&EnvArgs::default(), &args.out.out)?;
        for run in &mut runs {
            *run = adopt_or_say(stores, folder, run.clone(), &env).await;
        }
    }
    say_damaged(&damaged);
    if args.json {
        print_json(&runs)?;
    } else if runs.is_empty() {
        if args.limit == 0 {
            say!("--limit 0 shows no executions");
        } else if let Some(which) = which(project, test) {
            say!("no executions of {which}; without it, floodgate runs lists those of others");
        } else if args.cloud.cloud {
            say!("no executions in the cloud; start one with floodgate run FILE --cloud");
        } else {
            say!(
                "no executions in {}; start one with floodgate run FILE",
                args.out.out.display()
            );
        }
    } else {
        print_styled(&floodgate_report::runs(&runs, Style::of_stdout()))?;
    }
    Ok(ExitCode::SUCCESS)
}
