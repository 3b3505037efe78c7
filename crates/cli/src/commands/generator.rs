//! `floodgate generator`: one task of an execution. The coordinator starts it; nobody types it.

use crate::args::EnvArgs;
use crate::env::Environment;
use crate::error::{CliError, Result};
use crate::local::{open, site};
use crate::signals::Signals;
use floodgate_generator::Config;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use tokio::sync::watch;

/// Arguments of `floodgate generator`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The folder of executions
    #[arg(long, value_name = "DIR")]
    pub store: PathBuf,
    /// The tenant
    #[arg(long)]
    pub project: String,
    /// The execution
    #[arg(long, value_name = "ULID")]
    pub execution: String,
    /// The task's number
    #[arg(long, value_name = "N")]
    pub task: u32,
    /// Worker threads
    #[arg(long, value_name = "W")]
    pub workers: Option<usize>,
    /// Stop when stdin ends, which is when the coordinator does
    #[arg(long)]
    pub with_parent: bool,
}

/// Runs the task to its end, or until a signal or the end of its coordinator stops it in order.
///
/// # Errors
/// What kept it from running.
pub async fn generator(args: Args) -> Result<ExitCode> {
    let mut signals = Signals::new()?;
    let (stores, _) = open(&args.store)?;
    let resolver = Arc::new(Environment::new(&EnvArgs::default(), &args.store)?);
    let (stop, stopped) = watch::channel(None);
    let config = Config {
        project: args.project,
        execution: args.execution,
        task: args.task,
        workers: args.workers,
        resolver,
        site: site(),
    };
    let running = floodgate_generator::run(config, stores.objects, stopped);
    tokio::pin!(running);
    let parent = parent_gone(args.with_parent);
    tokio::pin!(parent);
    let mut parent_there = true;
    loop {
        tokio::select! {
            ended = &mut running => {
                return ended.map(|_| ExitCode::SUCCESS).map_err(|e| CliError::run(format!("task {}", args.task), e));
            }
            (signal, _) = signals.next() => { stop.send_replace(Some(signal.to_owned())); }
            () = &mut parent, if parent_there => {
                parent_there = false;
                stop.send_replace(Some("the end of the coordinator".into()));
            }
        }
    }
}

/// Ends when stdin does.
async fn parent_gone(watched: bool) {
    if !watched {
        return std::future::pending().await;
    }
    let (ended, end) = tokio::sync::oneshot::channel();
    // A thread of its own: reading stdin cannot be cancelled, and must not keep the runtime from ending.
    let reader = std::thread::Builder::new().name("parent".into()).spawn(move || {
        let mut rest = [0; 64];
        while matches!(std::io::Read::read(&mut std::io::stdin().lock(), &mut rest), Ok(n) if n > 0) {}
        let _ = ended.send(());
    });
    if reader.is_err() || end.await.is_err() {
        std::future::pending::<()>().await;
    }
}
