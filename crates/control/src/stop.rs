//! Orders to stop: the first one counts.

use crate::error::{ControlError, Result};
use crate::lookup::find;
use crate::{Stores, audit, json};
use floodgate_core::execution::control::{Stop, StopReason};
use floodgate_core::execution::record::{Execution, Status};
use floodgate_core::keys::ExecutionKeys;
use floodgate_store::{ObjectStore, StoreError};

/// Orders every task of a run to stop, unless that has been ordered already; returns the order that stands.
///
/// # Errors
/// What the store refuses, and an order that cannot be read.
pub async fn order_stop(
    objects: &dyn ObjectStore,
    keys: &ExecutionKeys,
    stop: &Stop,
) -> Result<Stop> {
    let key = keys.stop();
    let bytes = json::bytes(&key, stop)?;
    match objects.put_new(&key, bytes).await {
        Ok(()) => Ok(stop.clone()),
        Err(StoreError::Exists { .. }) => {
            json::need(objects, key, "it stood there a moment ago").await
        }
        Err(error) => Err(error.into()),
    }
}

/// The order to stop, if there is one.
///
/// # Errors
/// What the store refuses, and an order that cannot be read.
pub async fn read_stop(objects: &dyn ObjectStore, keys: &ExecutionKeys) -> Result<Option<Stop>> {
    json::get(objects, &keys.stop()).await
}

/// Stops a run by its id or a prefix of it, in the name of a person.
///
/// # Errors
/// [`ControlError::UnknownExecution`], [`ControlError::Ended`], and what the store refuses.
pub async fn abort(stores: &Stores, id: &str, by: &str, now_ms: i64) -> Result<Execution> {
    let execution = find(stores, id).await?;
    if execution.status.is_final() {
        let status = crate::status_name(execution.status);
        return Err(ControlError::Ended {
            id: execution.id,
            status,
        });
    }
    let keys = ExecutionKeys::new(&execution.project, &execution.id);
    let stop = Stop {
        reason: StopReason::Person,
        by: by.to_owned(),
        at_ms: now_ms,
    };
    order_stop(stores.objects.as_ref(), &keys, &stop).await?;
    audit(stores, &execution, by, "abort", "stop ordered", now_ms).await?;
    Ok(execution)
}

/// Closes the record of a run that cannot be judged, since its plan or definition cannot be read. A record that is final stays
/// as it is.
///
/// # Errors
/// [`ControlError::UnknownExecution`], and what the store refuses.
pub async fn close_errored(
    stores: &Stores,
    project: &str,
    id: &str,
    reason: &str,
    now_ms: i64,
) -> Result<Execution> {
    let found = stores.records.get(Some(project), id).await?;
    let mut execution = found.ok_or_else(|| ControlError::UnknownExecution {
        id: id.to_owned(),
        nearest: None,
    })?;
    if execution.status.is_final() {
        return Ok(execution);
    }
    execution.status = Status::Errored;
    execution.ended_ms = Some(now_ms);
    execution.reasons = vec![reason.to_owned()];
    let open = [Status::Preparing, Status::Running, Status::Merging];
    stores.records.update(&execution, &open).await?;
    let by = crate::principal(&execution).to_owned();
    audit(stores, &execution, &by, "finish", "errored", now_ms).await?;
    Ok(execution)
}
