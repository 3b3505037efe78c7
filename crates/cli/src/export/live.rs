//! Exports of a run that goes on: on a thread of their own, from the shards that its tasks write. What a sink does not take yet stays
//! where it is, in the store; so the memory that this takes does not depend on the sink.

use crate::error::{CliError, Result};
use floodgate_control::{Finished, Stores, json, load_series};
use floodgate_core::shard::{Content, decode};
use floodgate_export::windows::Options;
use floodgate_export::{Delivery, End, Patience, Run, Target, Windows, schemes};
use floodgate_exporter::{Told, deliver};
use floodgate_records::control::Start;
use floodgate_records::execution::Execution;
use floodgate_records::keys::{ExecutionKeys, OBSERVER};
use floodgate_records::plan::Plan;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{oneshot, watch};

/// How often new shards are looked for; there is one every 10 s.
const POLL: Duration = Duration::from_secs(1);
/// While the run goes on, a sink may come back at any time.
const WHILE_RUNNING: Patience = Patience {
    batch: Duration::from_secs(10),
    first_pause: Duration::from_millis(250),
    longest_pause: Duration::from_secs(10),
    total: Duration::from_secs(100 * 365 * 86_400),
};
/// When it has ended, somebody waits.
const AT_THE_END: Patience = Patience {
    total: Duration::from_secs(10),
    ..WHILE_RUNNING
};

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
        let all: Vec<_> = targets
            .into_iter()
            .map(|target| Live {
                target,
                stores: stores.clone(),
                execution: execution.clone(),
                keys: ExecutionKeys::new(&plan.project, &plan.execution),
                tasks: plan
                    .tasks
                    .iter()
                    .map(|task| task.index)
                    .chain(observed.then_some(OBSERVER))
                    .map(Shards::of)
                    .collect(),
                handed_over_ms: i64::MIN,
            })
            .collect();
        let failed = |error: std::io::Error| CliError::run("start exports", error);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(failed)?;
        let thread = std::thread::Builder::new().name("export".into());
        let (tell, told) = oneshot::channel();
        // Nobody joins it: who leaves exports as they are must not wait for them.
        let thread = thread.spawn(move || {
            let _ = tell.send(runtime.block_on(carry_out(all, end)));
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

async fn carry_out(all: Vec<Live>, end: watch::Receiver<Option<Arc<Finished>>>) -> Vec<Told> {
    let started: Vec<_> = all
        .into_iter()
        .map(|live| tokio::spawn(live.export(end.clone())))
        .collect();
    let mut told = Vec::new();
    for export in started {
        told.extend(export.await.ok());
    }
    told
}

/// The shards of a task.
struct Shards {
    task: u32,
    next: u32,
    /// The end of the last one that was read, Unix ms.
    end_ms: i64,
}

impl Shards {
    fn of(task: u32) -> Self {
        Self {
            task,
            next: 0,
            end_ms: i64::MIN,
        }
    }
}

/// One export.
struct Live {
    target: Target,
    stores: Stores,
    execution: Execution,
    keys: ExecutionKeys,
    tasks: Vec<Shards>,
    /// All windows that begin before have been handed over.
    handed_over_ms: i64,
}

impl Live {
    async fn export(mut self, mut end: watch::Receiver<Option<Arc<Finished>>>) -> Told {
        let mut told = Told::new(&self.target);
        let testid = self.target.option("testid").unwrap_or(&self.execution.id);
        let run = Run {
            execution: self.execution.clone(),
            testid: testid.to_owned(),
            live: true,
        };
        let opened = schemes::open(&self.target, &run)
            .and_then(|sink| Ok((sink, Options::of(&self.target)?)));
        let (mut delivery, options) = match opened {
            Ok((sink, options)) => (Delivery::new(sink, WHILE_RUNNING), options),
            Err(error) => {
                told.broken = Some(error.problem);
                return told;
            }
        };
        let mut windows = Windows::new(options.clone());
        let mut is_started = false;
        let finished = loop {
            if !is_started {
                let start: Option<Start> =
                    json::get(self.stores.objects.as_ref(), &self.keys.start())
                        .await
                        .unwrap_or_default();
                if let Some(start) = start {
                    is_started = true;
                    windows = Windows::new(Options {
                        origin_ms: start.start_ms,
                        ..options.clone()
                    });
                }
            }
            let step = async {
                if is_started {
                    self.read(&mut windows).await;
                    self.hand_over(&mut windows, &mut delivery).await;
                }
                tokio::time::sleep(POLL).await;
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
        let Some(finished) = finished else {
            told.broken = Some("the run was given up".to_owned());
            told.report = delivery.report().clone();
            return told;
        };
        delivery.set_patience(AT_THE_END);
        // The merged file has these, too.
        windows.forget_open();
        let (execution, from_ms) = (&finished.execution, self.handed_over_ms);
        let rest = deliver(
            &self.stores,
            execution,
            &mut windows,
            from_ms,
            &mut delivery,
        );
        match rest.await {
            Ok(true) => {}
            Ok(false) => told.broken = Some("nothing was merged".to_owned()),
            Err(error) => told.broken = Some(error.to_string()),
        }
        told.folded = windows.folded();
        let totals = load_series(&self.stores, execution, &[]).await;
        let totals = totals.ok().flatten();
        let end = End {
            execution,
            summary: Some(&finished.summary),
            totals: totals.as_ref(),
            complete: false,
        };
        told.report = delivery.finish(end).await;
        told
    }

    /// Reads a shard of each task if it is there. A future that is dropped has taken whole shards only.
    async fn read(&mut self, windows: &mut Windows) {
        let behind = self.tasks.iter().map(|task| task.next).min().unwrap_or(0);
        for task in &mut self.tasks {
            // Those ahead wait for the others: what is not read takes no memory.
            if task.next > behind {
                continue;
            }
            let key = self.keys.shard(task.task, task.next);
            // What cannot be read now may be later; if not, the merged windows at the end are what there is.
            let Ok(Some(bytes)) = self.stores.objects.get(&key).await else {
                continue;
            };
            let Ok(shard) = decode(&bytes) else {
                continue;
            };
            if shard.meta.content != Content::Shard {
                continue;
            }
            task.next += 1;
            task.end_ms = shard.meta.end_ms;
            shard.rows.iter().for_each(|row| windows.add(row));
        }
    }

    /// Hands over the windows that all tasks have reported, one at a time.
    async fn hand_over(&mut self, windows: &mut Windows, delivery: &mut Delivery) {
        let complete_ms = self.tasks.iter().map(|task| task.end_ms).min();
        let complete_ms = complete_ms.unwrap_or(i64::MIN);
        while let Some(start_ms) = windows.first_open().filter(|start| *start < complete_ms) {
            // Rows of a decoded shard are sound.
            let Ok(rows) = windows.close(start_ms + 1) else {
                return;
            };
            self.handed_over_ms = start_ms + 1;
            delivery.push(rows);
            delivery.flush().await;
        }
        self.handed_over_ms = self.handed_over_ms.max(complete_ms);
        delivery.flush_all().await;
    }
}
