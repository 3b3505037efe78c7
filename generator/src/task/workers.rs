//! The worker threads of a task.

use super::base::Task;
use super::config::Config;
use super::error::TaskError;
use super::threads::join;
use super::worker::{self, Assignment, Common, Order, PrepareError, Report};
use crate::flush::{self, Flushed, Outbox};
use crate::health::workers_in;
use crate::recorder::{Closed, Window};
use floodgate_core::definition::model::Definition;
use floodgate_core::schedule::{Segment, schedule_of};
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{Builder, JoinHandle};
use tokio::sync::{mpsc, oneshot, watch};

/// VUs that a worker thread should have at least; below, a second thread only costs.
const VUS_A_WORKER: u64 = 8;

/// Receives nothing, and ends when the last worker thread does.
pub(super) type Running = mpsc::Receiver<Infallible>;

/// Worker threads that wait for their orders.
pub(super) struct Workers {
    pub(super) threads: Vec<JoinHandle<Report>>,
    pub(super) running: Running,
    pub(super) windows: Receiver<Closed>,
    pub(super) recycle: Vec<Sender<Window>>,
}

impl Workers {
    /// Waits for the end of workers that were told to stop before they began.
    pub(super) fn dismiss(self) {
        self.threads
            .into_iter()
            .for_each(|worker| drop(join(worker)));
    }
}

impl Task {
    /// Starts worker threads, and waits until each could begin.
    pub(super) async fn start_workers(
        &self,
        common: Arc<Common>,
    ) -> Result<(watch::Sender<Order>, Workers), TaskError> {
        let (orders, listen) = watch::channel(Order::Wait);
        let (to_flusher, windows) = channel();
        let (runs, running) = mpsc::channel(1);
        let mut workers = Workers {
            threads: Vec::new(),
            running,
            windows,
            recycle: Vec::new(),
        };
        let mut ready = Vec::new();
        for number in 0..self.workers {
            let (recycle, recycled) = channel();
            let (told, listening) = oneshot::channel();
            let assignment = Assignment {
                number,
                segment: self.segment.split(self.workers as u32, number as u32),
                orders: listen.clone(),
                ready: told,
                to_flusher: to_flusher.clone(),
                recycled,
            };
            let common = Arc::clone(&common);
            let runs = runs.clone();
            let thread = Builder::new()
                .name(format!("load-{number}"))
                .spawn(move || {
                    let report = worker::run(&common, assignment);
                    // A panic drops it, too.
                    drop(runs);
                    report
                });
            workers
                .threads
                .push(thread.map_err(TaskError::system("no thread for a worker"))?);
            workers.recycle.push(recycle);
            ready.push(listening);
        }
        for ready in ready {
            let problem = match ready.await {
                Ok(Ok(())) => continue,
                Ok(Err(problem)) => problem,
                Err(_) => PrepareError::Ended,
            };
            orders.send_replace(Order::Stop);
            workers.dismiss();
            return Err(problem.into());
        }
        Ok((orders, workers))
    }

    /// Starts the thread that turns windows into shards.
    pub(super) fn start_flusher(
        &self,
        (start_ms, definition): (i64, &Definition),
        outbox: Outbox,
        (windows, recycle, held): (Receiver<Closed>, Vec<Sender<Window>>, Receiver<Infallible>),
    ) -> Result<JoinHandle<Flushed>, TaskError> {
        let config = self.flush_config(start_ms, definition);
        Builder::new()
            .name("flush".to_owned())
            .spawn(move || flush::run_held(config, outbox, (&windows, &held), recycle))
            .map_err(TaskError::system("no thread for the flusher"))
    }
}

/// VUs that this task may have at the same time, over all scenarios.
pub(super) fn vus_of(definition: &Definition, segment: &Segment) -> u64 {
    definition
        .scenarios
        .iter()
        .map(|scenario| schedule_of(scenario, segment).max_vus())
        .sum()
}

/// How many threads send load.
pub(super) fn worker_count(config: &Config, definition: &Definition, segment: &Segment) -> usize {
    let vus = vus_of(definition, segment);
    let needed = usize::try_from(vus.div_ceil(VUS_A_WORKER)).unwrap_or(usize::MAX);
    config
        .workers
        .unwrap_or_else(|| {
            let limits = &config.environment.limits;
            let fit = limits.memory.map_or(usize::MAX, workers_in);
            (limits.cpus.round() as usize).min(needed).min(fit)
        })
        .max(1)
}
