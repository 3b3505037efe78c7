//! `floodgate abort`: an order to stop from outside of the run.

use crate::args::{CloudArgs, EnvArgs, OutArgs, ProjectArgs};
use crate::clock::now_ms;
use crate::env::Environment;
use crate::error::{CliError, Result};
use crate::load::load_stored;
use crate::local::{adopt, finish_here, merge_late};
use crate::output::print;
use crate::stores::Executions;
use crate::trigger::trigger;
use floodgate_control::{Stores, Trail, UNKNOWN_PRINCIPAL, find_in, load_plan};
use floodgate_records::execution::Execution;
use floodgate_store::local::LocalStore;
use std::process::ExitCode;
use std::time::Duration;

/// How long to wait for the run to end in order.
const PATIENCE: Duration = Duration::from_secs(30);
/// The same in the cloud: containers have two minutes to stop, then shards are merged.
const CLOUD_PATIENCE: Duration = Duration::from_secs(300);
/// Between two looks at the record.
const POLL: Duration = Duration::from_millis(200);
const CLOUD_POLL: Duration = Duration::from_secs(2);

/// Arguments of `floodgate abort`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The execution's id, or the beginning of it
    #[arg(value_name = "ID")]
    pub id: String,
    /// Whose execution.
    #[command(flatten)]
    pub project: ProjectArgs,
    /// Return immediately
    #[arg(long)]
    pub no_wait: bool,
    /// Values of references, for a run that has to be judged here.
    #[command(flatten)]
    pub env: EnvArgs,
    /// Where executions are kept.
    #[command(flatten)]
    pub out: OutArgs,
    /// Where it runs.
    #[command(flatten)]
    pub cloud: CloudArgs,
}

/// Orders a run to stop and waits until it has. A run whose coordinator is gone is finished here, past its deadline.
///
/// # Errors
/// An unknown id, a run that has ended, and what the store refuses.
pub async fn abort(args: Args) -> Result<ExitCode> {
    let executions = Executions::open(&args.cloud, &args.project, &args.out).await?;
    let (stores, folder) = (executions.stores(), executions.folder());
    let cloud = folder.is_none();
    let by = match &executions {
        Executions::Cloud { caller, .. } => caller.clone(),
        Executions::Local { .. } => trigger(|name| std::env::var(name).ok())
            .principal
            .unwrap_or_else(|| UNKNOWN_PRINCIPAL.into()),
    };
    let project = args.project.project.as_deref();
    let found = find_in(stores, project, &args.id).await?;
    if !cloud && found.is_due() {
        let env = Environment::new(&args.env, &args.out.out)?;
        if let Some(merged) = merge_late(stores, &found, &env).await? {
            let (id, status) = (&merged.id, merged.status.as_str());
            print(&format!(
                "{id} has ended before: {status}; what was not merged then has been merged now\n"
            ))?;
            return Ok(ExitCode::SUCCESS);
        }
    }
    if found.orphaned {
        // Nobody has stopped it, and there is nothing left to stop.
        let (id, status) = (&found.id, found.status.as_str());
        print(&format!(
            "{id} has ended before: its coordinator was gone, and it was finished from what its tasks had written: {status}\n"
        ))?;
        return Ok(ExitCode::SUCCESS);
    }
    let trail = if cloud { Trail::AtTheEnd } else { Trail::Here };
    let execution =
        floodgate_control::abort(stores, project, &args.id, &by, trail, now_ms()).await?;
    let id = &execution.id;
    if args.no_wait {
        print(&format!("{id} was told to stop\n"))?;
        return Ok(ExitCode::SUCCESS);
    }
    let (patience, poll) = if cloud {
        (CLOUD_PATIENCE, CLOUD_POLL)
    } else {
        (PATIENCE, POLL)
    };
    let orphans = match folder {
        Some(folder) => Some((folder, Environment::new(&args.env, &args.out.out)?)),
        None => None,
    };
    let ended = match wait_for_end(stores, &execution, patience, poll, orphans.as_ref()).await? {
        Some(ended) => ended,
        None if cloud => {
            let problem = format!(
                "has not ended {} s after the order to stop; floodgate attach {id} --cloud waits for it",
                patience.as_secs()
            );
            return Err(CliError::run(format!("execution {id}"), problem));
        }
        None => finish_orphan(stores, &execution, &args).await?,
    };
    print(&format!(
        "{id} has ended: {}; floodgate show {id}{} shows what was measured\n",
        ended.status.as_str(),
        if cloud { " --cloud" } else { "" }
    ))?;
    Ok(ExitCode::SUCCESS)
}

/// Waits for the end of a run; one whose coordinator and tasks are gone is finished here.
async fn wait_for_end(
    stores: &Stores,
    execution: &Execution,
    patience: Duration,
    poll: Duration,
    orphans: Option<&(&LocalStore, Environment)>,
) -> Result<Option<Execution>> {
    let mut waited = Duration::ZERO;
    while waited < patience {
        if let Some((local, env)) = orphans
            && let Some(ended) = adopt(stores, local, execution, env).await?
        {
            return Ok(Some(ended));
        }
        let execution = find_in(stores, Some(&execution.project), &execution.id).await?;
        if execution.status.is_final() {
            return Ok(Some(execution));
        }
        tokio::time::sleep(poll).await;
        waited += poll;
    }
    Ok(None)
}

/// Nobody reacts to the order: merges what is there. Generators that still run stop by themselves, and their manifests
/// are no longer waited for.
async fn finish_orphan(stores: &Stores, execution: &Execution, args: &Args) -> Result<Execution> {
    let plan = load_plan(stores, execution).await?;
    let env = Environment::new(&args.env, &args.out.out)?;
    let definition = load_stored(stores, &plan, &env).await?;
    Ok(
        finish_here(stores, &args.out.out, &plan, &definition, &[], &[])
            .await?
            .execution,
    )
}
