//! Orders to stop: the first one counts.

use crate::audit::{Who, audit, principal};
use crate::error::{ControlError, Result};
use crate::json;
use crate::lookup::find_in;
use crate::stores::Stores;
use floodgate_records::audit::Action;
use floodgate_records::control::{Stop, StopReason};
use floodgate_records::execution::{Execution, PrincipalIs};
use floodgate_records::keys::ExecutionKeys;
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
    Ok(json::get(objects, &keys.stop()).await?)
}

/// Who writes into the audit trail that a run was told to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trail {
    /// Whoever gives the order.
    Here,
    /// Whoever finishes the run, by [`note_order`]: where a person may not write records.
    AtTheEnd,
    /// The same, and whoever gives the order vouches for its name: in an object that persons may not write.
    Vouched,
}

impl Trail {
    /// Whether what is done to a record is noted by whoever does it.
    pub const fn is_written_here(self) -> bool {
        matches!(self, Self::Here | Self::Vouched)
    }
}

/// Stops a run by its id or a prefix of it, in the name of a person; looks in one project if it is given.
///
/// # Errors
/// [`ControlError::UnknownExecution`], [`ControlError::Ended`], and what the store refuses.
pub async fn abort(
    stores: &Stores,
    project: Option<&str>,
    id: &str,
    by: impl Into<Who<'_>>,
    trail: Trail,
    now_ms: i64,
) -> Result<Execution> {
    let by = by.into();
    let execution = find_in(stores, project, id).await?;
    if execution.status.is_final() {
        let status = execution.status.as_str();
        return Err(ControlError::Ended {
            id: execution.id,
            status,
        });
    }
    stop_by_person(stores, &execution, by, trail, now_ms).await?;
    Ok(execution)
}

/// Orders a run to stop in the name of a person, and notes in the audit trail who it was unless somebody else does; returns the order
/// that stands.
///
/// # Errors
/// What the store refuses. Then it can be said again.
pub async fn stop_by_person(
    stores: &Stores,
    execution: &Execution,
    by: impl Into<Who<'_>>,
    trail: Trail,
    now_ms: i64,
) -> Result<Stop> {
    let by = by.into();
    let keys = ExecutionKeys::new(&execution.project, &execution.id);
    let stop = Stop {
        reason: StopReason::Person,
        by: by.name.to_owned(),
        at_ms: now_ms,
    };
    if trail == Trail::Vouched {
        let key = keys.vouched_stop();
        let bytes = json::bytes(&key, &stop)?;
        stores.objects.put(&key, bytes).await?;
    }
    let standing = order_stop(stores.objects.as_ref(), &keys, &stop).await?;
    let outcome = if (standing.reason, &standing.by) == (stop.reason, &stop.by) {
        "stop ordered"
    } else {
        "was told to stop before"
    };
    if trail == Trail::Here {
        audit(stores, execution, by, Action::Abort, outcome, now_ms).await?;
    }
    Ok(standing)
}

/// Notes in the audit trail a person's order to stop, of whom the order says who it was: proven if the API has vouched for this very order.
///
/// # Errors
/// What the store refuses.
pub async fn note_order(stores: &Stores, execution: &Execution, stop: &Stop) -> Result<()> {
    let keys = ExecutionKeys::new(&execution.project, &execution.id);
    let vouched: Option<Stop> = json::get(stores.objects.as_ref(), &keys.vouched_stop()).await?;
    let by = Who {
        name: &stop.by,
        is: (vouched.as_ref() == Some(stop)).then_some(PrincipalIs::Verified),
    };
    let outcome = "stop ordered";
    audit(stores, execution, by, Action::Abort, outcome, stop.at_ms).await
}

/// Notes in the audit trail that whoever started a run here stopped it, and by what: a signal.
///
/// # Errors
/// What the store refuses.
pub async fn note_stop(
    stores: &Stores,
    execution: &Execution,
    signal: &str,
    now_ms: i64,
) -> Result<()> {
    let by = principal(execution);
    let outcome = format!("stop ordered by {signal}");
    audit(stores, execution, by, Action::Abort, &outcome, now_ms).await
}
