//! `floodgate generator`: one task of an execution. The coordinator starts it; nobody types it.

use crate::args::EnvArgs;
use crate::env::Environment;
use crate::error::{CliError, Result};
use crate::local::{environment, open};
use crate::signals::Signals;
use floodgate_generator::Config;
use std::io::ErrorKind;
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use tokio::net::unix::pipe;
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
    let (stores, local) = open(&args.store)?;
    // Held to the end of the process: until then nobody finishes the run for lack of a coordinator.
    let held = local.join(&args.project, &args.execution)?;
    let _held = held.ok_or_else(|| {
        let problem = format!(
            "execution {} has ended, or is being finished",
            args.execution
        );
        CliError::run(format!("task {}", args.task), problem)
    })?;
    let resolver = Arc::new(Environment::new(&EnvArgs::default(), &args.store)?);
    let (stop, stopped) = watch::channel(None);
    let config = Config {
        project: args.project,
        execution: args.execution,
        task: args.task,
        workers: args.workers,
        resolver,
        environment: environment(),
    };
    let running = floodgate_generator::run(config, stores.objects, stopped);
    tokio::pin!(running);
    let stdin = args.with_parent.then(stdin_pipe).transpose()?;
    let mut parent_there = stdin.is_some();
    let parent = async {
        match stdin {
            Some(stdin) => parent_gone(stdin).await,
            None => std::future::pending().await,
        }
    };
    tokio::pin!(parent);
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

/// Ends when stdin does, a pipe from the coordinator.
async fn parent_gone(stdin: pipe::Receiver) {
    let mut rest = [0; 64];
    loop {
        // What comes is of no interest; what cannot be read has ended.
        if stdin.readable().await.is_err() {
            return;
        }
        match stdin.try_read(&mut rest) {
            Ok(1..) => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Ok(0) | Err(_) => return,
        }
    }
}

/// Stdin without a thread: there may be no more of them, and a generator must not outlive its coordinator for that.
fn stdin_pipe() -> Result<pipe::Receiver> {
    let taken = std::io::stdin()
        .as_fd()
        .try_clone_to_owned()
        .and_then(pipe::Receiver::from_owned_fd);
    taken.map_err(|error| CliError::run("watch the coordinator over stdin", error))
}
