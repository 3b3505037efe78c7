//! What other systems measure while a local run goes on: asked on a thread of its own, so that one that is slow delays nothing.

use crate::clock::now_ms;
use crate::error::{CliError, Result};
use floodgate_control::{Stores, json};
use floodgate_core::definition::model::ObserveSpec;
use floodgate_core::shard::decode;
use floodgate_observe::Observer;
use floodgate_records::keys::ExecutionKeys;
use floodgate_records::manifest::Manifest;
use floodgate_records::plan::Plan;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep};

/// How often what is due is asked for.
const POLL: Duration = Duration::from_secs(1);

/// The observation of a run. One that is dropped ends.
pub(super) struct Observing {
    end: oneshot::Sender<i64>,
    ended: oneshot::Receiver<std::result::Result<(), String>>,
}

impl Observing {
    /// Begins it; `None` if there is nothing to observe.
    ///
    /// # Errors
    /// If there is no thread to be had.
    pub(super) fn start(
        specs: &[ObserveSpec],
        stores: &Stores,
        plan: &Plan,
    ) -> Result<Option<Self>> {
        if specs.is_empty() {
            return Ok(None);
        }
        let failed = |error: std::io::Error| CliError::run("start observing", error);
        let observer = Observer::new(
            specs,
            stores.objects.clone(),
            &plan.project,
            &plan.execution,
        );
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(failed)?;
        let (end, end_told) = oneshot::channel();
        let (tell, ended) = oneshot::channel();
        let thread = std::thread::Builder::new().name("observe".into());
        let thread = thread.spawn(move || {
            // Nobody listens if the run has been given up.
            let _ = tell.send(runtime.block_on(observe(observer, end_told)));
        });
        thread.map_err(failed)?;
        Ok(Some(Self { end, ended }))
    }

    /// Waits for the last values of a run whose tasks have ended; says why they are not in the store, if they are not.
    pub(super) async fn finish(self, stores: &Stores, plan: &Plan) -> Option<String> {
        // Fails if the thread is gone, as its silence shows.
        let _ = self.end.send(load_ended_ms(stores, plan).await);
        match self.ended.await {
            Ok(Ok(())) => None,
            Ok(Err(problem)) => Some(problem),
            Err(_) => Some("observing has broken off".to_owned()),
        }
    }
}

async fn observe(
    mut observer: Observer,
    mut end: oneshot::Receiver<i64>,
) -> std::result::Result<(), String> {
    loop {
        let step = async {
            observer.step(now_ms()).await;
            sleep(POLL).await;
        };
        tokio::select! {
            () = step => {}
            ended = &mut end => match ended {
                Ok(end_ms) => {
                    observer.end_at(end_ms);
                    break;
                }
                Err(_) => return Ok(()),
            },
        }
    }
    let patience = Instant::now() + observer.patience();
    while !observer.is_settled() && Instant::now() < patience {
        let step = observer.step(now_ms());
        // What is half asked then is given up.
        let _ = tokio::time::timeout_at(patience, step).await;
        sleep(POLL / 4).await;
    }
    observer.close().await
}

/// When the last window ends that a task has measured, as far as they tell; else now. A teardown comes after it.
async fn load_ended_ms(stores: &Stores, plan: &Plan) -> i64 {
    let keys = ExecutionKeys::new(&plan.project, &plan.execution);
    let objects = stores.objects.as_ref();
    let mut last = None;
    for task in plan.tasks.iter().map(|task| task.index) {
        let manifest = json::get::<Manifest>(objects, &keys.manifest(task)).await;
        let Some(shard) = manifest
            .ok()
            .flatten()
            .and_then(|m| m.shards.last().map(|s| s.seq))
        else {
            continue;
        };
        let shard = objects.get(&keys.shard(task, shard)).await;
        let shard = shard.ok().flatten().and_then(|bytes| decode(&bytes).ok());
        last = last.max(shard.map(|shard| shard.meta.end_ms));
    }
    last.unwrap_or_else(now_ms)
}
