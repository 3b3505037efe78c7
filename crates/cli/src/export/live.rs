//! Exports of a run that goes on, on a thread of their own.

use crate::error::{CliError, Result};
use floodgate_control::{Finished, Stores};
use floodgate_export::{Patience, Target};
use floodgate_exporter::{Live, Source, Told, WHILE_RUNNING};
use floodgate_records::execution::Execution;
use floodgate_records::plan::Plan;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{oneshot, watch};

/// How often new shards are looked for; there is one every 10 s.
const POLL: Duration = Duration::from_secs(1);
/// When it has ended, somebody waits: a little longer than the longest pause, for which a sink may ask.
const AT_THE_END: Patience = Patience {
    total: Duration::from_secs(12),
    ..WHILE_RUNNING
};

/// How a run ended, once it has.
type End = watch::Receiver<Option<Arc<Finished>>>;

/// The exports of a run.
pub(crate) struct Exports {
    told: oneshot::Receiver<Vec<Told>>,
    ended: watch::Sender<Option<Arc<Finished>>>,
}

impl Exports {
    /// Begins them; `None` without targets. A sink that cannot be opened is one that gets nothing. `observed` says whether other systems are
    /// asked, too.
    ///
    /// # Errors
    /// If there is no thread to be had.
    pub(crate) fn start(
        targets: Vec<Target>,
        stores: &Stores,
        execution: &Execution,
        plan: &Plan,
        observed: bool,
    ) -> Result<Option<Self>> {
        if targets.is_empty() {
            return Ok(None);
        }
        let (ended, end) = watch::channel(None);
        let run = Arc::new(Running {
            stores: stores.clone(),
            execution: execution.clone(),
            plan: plan.clone(),
            observed,
        });
        let failed = |error: std::io::Error| CliError::run("start exports", error);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(failed)?;
        let thread = std::thread::Builder::new().name("export".into());
        let (tell, told) = oneshot::channel();
        // Nobody joins it: who leaves exports as they are must not wait for them.
        let thread = thread.spawn(move || {
            let _ = tell.send(runtime.block_on(carry_out(targets, run, end)));
        });
        thread.map_err(failed)?;
        Ok(Some(Self { told, ended }))
    }

    /// Hands over the rest of a run that is finished.
    pub(crate) async fn finish(self, finished: &Finished) -> Vec<Told> {
        // Fails if all of them have ended; what they have told is there all the same.
        let _ = self.ended.send(Some(Arc::new(finished.clone())));
        self.told.await.unwrap_or_default()
    }
}

/// The run that goes on.
struct Running {
    stores: Stores,
    execution: Execution,
    plan: Plan,
    observed: bool,
}

async fn carry_out(targets: Vec<Target>, run: Arc<Running>, end: End) -> Vec<Told> {
    let started: Vec<_> = targets
        .into_iter()
        .map(|target| tokio::spawn(export(target, run.clone(), end.clone())))
        .collect();
    let mut told = Vec::new();
    for export in started {
        told.extend(export.await.ok());
    }
    told
}

async fn export(target: Target, run: Arc<Running>, mut end: End) -> Told {
    let source = Source {
        stores: &run.stores,
        execution: &run.execution,
        plan: &run.plan,
        observed: run.observed,
    };
    let mut live = match Live::open(&target, &source, WHILE_RUNNING) {
        Ok(live) => live,
        Err(error) => {
            let mut told = Told::new(&target);
            told.broken = Some(error.problem);
            return told;
        }
    };
    let finished = loop {
        let step = async {
            if !live.step().await {
                tokio::time::sleep(POLL).await;
            }
        };
        tokio::select! {
            () = step => {}
            ended = end.wait_for(Option::is_some) => match ended {
                Ok(ended) => break ended.clone(),
                // Whoever drives the run has given it up.
                Err(_) => break None,
            },
        }
    };
    match finished {
        Some(finished) => {
            let (execution, summary) = (&finished.execution, Some(&finished.summary));
            live.finish(execution, summary, AT_THE_END).await
        }
        None => live.give_up("the run was given up"),
    }
}
