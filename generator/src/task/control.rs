//! Control objects: looked for as often as the plan says, and never waited for when something else has to be done.
//!
//! In the local folder a look costs nothing; in S3 it is a request. [`start_look`] and [`Plan::control_interval_ms`]
//! therefore bound how many there are.

use super::error::TaskError;
use super::objects::optional;
use crate::clock::unix_ms;
use crate::environment::{Level, Log};
use bytes::Bytes;
use floodgate_records::capacity::CapacityControl;
use floodgate_records::control::{Start, Stop, StopReason};
use floodgate_records::keys::ExecutionKeys;
use floodgate_records::plan::Plan;
use floodgate_store::{ObjectStore, StoreError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout, timeout_at};

/// One look; an answer that does not come is looked for again.
const LOOK_TIMEOUT: Duration = Duration::from_secs(10);
/// Between two attempts at an object that has to be written.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LAST_PAUSE: Duration = Duration::from_secs(5);

/// What came of waiting for the start.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Begin {
    /// Unix ms.
    At(i64),
    /// There is to be none.
    Never {
        /// Why.
        by: String,
    },
}

/// How often `start.json` is looked for: four times an interval of control, at least each second. The lead of the start
/// must cover two looks.
pub(super) fn start_look(plan: &Plan) -> Duration {
    Duration::from_millis((plan.control_interval_ms / 4).clamp(10, 1_000))
}

/// How often `stop.json` is looked for.
fn stop_look(plan: &Plan) -> Duration {
    Duration::from_millis(plan.control_interval_ms.max(10))
}

/// Waits for the start, an order to stop, the plan's patience or its deadline, whichever comes first.
///
/// # Errors
/// A `start.json` that cannot be read. A store that does not answer is asked again.
pub(super) async fn await_start(
    store: &dyn ObjectStore,
    keys: &ExecutionKeys,
    plan: &Plan,
    stop: &mut watch::Receiver<Option<String>>,
    log: &Log,
) -> Result<Begin, TaskError> {
    let left = u64::try_from(plan.deadline_ms.saturating_sub(unix_ms())).unwrap_or(0);
    tokio::select! {
        start = look_for_start(store, keys, plan, log) => start.map(|start| Begin::At(start.start_ms)),
        by = stop_ordered(store, keys, plan) => Ok(Begin::Never { by }),
        by = stop_signalled(stop) => Ok(Begin::Never { by }),
        () = sleep(Duration::from_millis(left)) => Ok(Begin::Never { by: "deadline".to_owned() }),
        () = sleep(Duration::from_millis(plan.start_timeout_ms)) => Ok(Begin::Never {
            by: format!("no start was ordered within {} s", plan.start_timeout_ms as f64 / 1_000.0),
        }),
    }
}

async fn look_for_start(
    store: &dyn ObjectStore,
    keys: &ExecutionKeys,
    plan: &Plan,
    log: &Log,
) -> Result<Start, TaskError> {
    let mut told = false;
    loop {
        match timeout(LOOK_TIMEOUT, optional::<Start>(store, &keys.start())).await {
            Ok(Ok(Some(start))) => return Ok(start),
            Ok(Err(error @ TaskError::Malformed { .. })) => return Err(error),
            Ok(Err(error)) if !told => {
                told = true;
                log(
                    Level::Warn,
                    &format!("{error}; the start is looked for again"),
                );
            }
            _ => {}
        }
        sleep(start_look(plan)).await;
    }
}

/// Who ordered to stop, once somebody has.
pub(super) async fn stop_ordered(
    store: &dyn ObjectStore,
    keys: &ExecutionKeys,
    plan: &Plan,
) -> String {
    loop {
        // A store that does not answer now is asked again; the deadline holds in any case.
        let stop = timeout(LOOK_TIMEOUT, optional::<Stop>(store, &keys.stop())).await;
        if let Ok(Ok(Some(stop))) = stop {
            return stop.by;
        }
        sleep(stop_look(plan)).await;
    }
}

/// Passes the steps of a search for the capacity on as they are ordered, until no further one comes.
pub(super) async fn follow_steps(
    store: &dyn ObjectStore,
    keys: &ExecutionKeys,
    plan: &Plan,
    steps: &watch::Sender<CapacityControl>,
) {
    let key = keys.capacity();
    loop {
        // One that cannot be read now is read again: the next step begins later than that.
        let look = timeout(LOOK_TIMEOUT, optional::<CapacityControl>(store, &key));
        if let Ok(Ok(Some(control))) = look.await {
            let over = control.ended.is_some();
            steps.send_if_modified(|known| {
                let more = control.steps.len() > known.steps.len() || control.ended != known.ended;
                if more {
                    *known = control;
                }
                more
            });
            if over {
                return;
            }
        }
        sleep(start_look(plan)).await;
    }
}

/// Orders all tasks to stop, unless something else has: the first order counts.
pub(super) async fn order_stop(
    store: &dyn ObjectStore,
    keys: &ExecutionKeys,
    (reason, by): (StopReason, String),
    until: Instant,
    log: &Log,
) {
    let stop = Stop {
        reason,
        by,
        at_ms: unix_ms(),
    };
    let Ok(json) = serde_json::to_vec_pretty(&stop) else {
        return;
    };
    let json = Bytes::from(json);
    let mut pause = FIRST_PAUSE;
    loop {
        match timeout_at(until, store.put_new(&keys.stop(), json.clone())).await {
            Ok(Ok(()) | Err(StoreError::Exists { .. })) => return,
            // The others then end when their own scripts do.
            _ if Instant::now() + pause >= until => {
                log(Level::Error, "the order to stop could not be written");
                return;
            }
            _ => sleep(pause).await,
        }
        pause = (pause * 2).min(LAST_PAUSE);
    }
}

/// Who told this process to stop, past the store.
pub(super) async fn stop_signalled(stop: &mut watch::Receiver<Option<String>>) -> String {
    match stop.wait_for(Option::is_some).await {
        Ok(by) => by.clone().unwrap_or_default(),
        Err(_) => std::future::pending().await,
    }
}

/// Writes an object, again and again until `until`.
///
/// # Errors
/// What the store said last.
pub(super) async fn put_until(
    store: &dyn ObjectStore,
    key: &str,
    value: &impl serde::Serialize,
    until: Instant,
    log: &Log,
) -> Result<(), TaskError> {
    let json = serde_json::to_vec_pretty(value);
    let json = Bytes::from(json.map_err(|error| TaskError::Malformed {
        key: key.to_owned(),
        source: error.into(),
    })?);
    let mut pause = FIRST_PAUSE;
    loop {
        let error = match timeout_at(until, store.put(key, json.clone())).await {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error)) => TaskError::from(error),
            Err(_) => TaskError::NoAnswer {
                key: key.to_owned(),
                bytes: json.len(),
            },
        };
        if Instant::now() + pause >= until {
            return Err(error);
        }
        log(Level::Warn, &format!("{error}; tried again"));
        sleep(pause.mul_f64(0.5 + fastrand::f64() / 2.0)).await;
        pause = (pause * 2).min(LAST_PAUSE);
    }
}
