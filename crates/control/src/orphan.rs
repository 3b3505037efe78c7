//! Runs whose coordinator has ended before them.

use crate::collect::manifests_of;
use crate::error::Result;
use crate::finish::{Closing, Finished, Measured, finish_with};
use crate::stop::read_stop;
use crate::{ControlError, Stores};
use floodgate_core::definition::model::Definition;
use floodgate_records::execution::Execution;
use floodgate_records::keys::ExecutionKeys;
use floodgate_records::manifest::TaskOutcome;
use floodgate_records::plan::Plan;
use floodgate_records::unwritten::Unwritten;

/// Why such a run is `errored`, unless all of its tasks had done their part.
pub const COORDINATOR_GONE: &str =
    "its coordinator ended before the run did: it was killed, or the machine went down";

/// Merges what was not merged when a run ended ([`Execution::is_due`]), such as on a disk that was full: its account is then that of all
/// that was measured, and its verdict stands.
///
/// # Errors
/// As for [`crate::finish()`].
pub async fn finish_late(
    stores: &Stores,
    plan: &Plan,
    definition: &Definition,
    unwritten: &[Unwritten],
    now_ms: i64,
) -> Result<Finished> {
    let closing = Closing {
        unwritten,
        late: true,
        ..Closing::default()
    };
    finish_with(stores, plan, definition, &closing, now_ms).await
}

/// Finishes a run that nobody drives any more, from what its tasks wrote: the caller has made sure that the coordinator and all
/// tasks have ended. A run whose tasks had all completed gets the verdict that it would have got; one that somebody had ordered to
/// stop is `aborted`; any other is `errored`. `problems` say what else
/// keeps it from being judged, and make it `errored`, too; `unwritten` is what is still not in the store.
///
/// # Errors
/// As for [`crate::finish()`].
pub async fn finish_orphan(
    stores: &Stores,
    plan: &Plan,
    definition: &Definition,
    problems: &[String],
    unwritten: &[Unwritten],
    now_ms: i64,
) -> Result<Finished> {
    let mut errors = Vec::new();
    if !stopped(stores, plan).await? && !all_completed(stores, plan).await? {
        errors.push(COORDINATOR_GONE.to_owned());
    }
    errors.extend_from_slice(problems);
    let settle = |execution: &mut Execution, _: &Measured<'_>| execution.orphaned = true;
    let closing = Closing {
        errors: &errors,
        settle: Some(&settle),
        unwritten,
        ..Closing::default()
    };
    finish_with(stores, plan, definition, &closing, now_ms).await
}

/// Whether there is an order to stop; one that cannot be read is said by [`finish_with`].
async fn stopped(stores: &Stores, plan: &Plan) -> Result<bool> {
    let keys = ExecutionKeys::new(&plan.project, &plan.execution);
    match read_stop(stores.objects.as_ref(), &keys).await {
        Ok(stop) => Ok(stop.is_some()),
        Err(ControlError::Corrupt { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

async fn all_completed(stores: &Stores, plan: &Plan) -> Result<bool> {
    let manifests = manifests_of(stores.objects.as_ref(), plan).await?;
    let completed = manifests
        .values()
        .filter(|manifest| manifest.outcome == TaskOutcome::Completed);
    Ok(completed.count() == plan.tasks.len())
}
