//! The end of a run that cannot be finished in order.

use crate::audit::{audit, principal};
use crate::budget;
use crate::error::{ControlError, Result};
use crate::stores::Stores;
use floodgate_records::audit::Action;
use floodgate_records::execution::Execution;
use floodgate_records::status::Status;
use floodgate_records::unwritten::Unwritten;
use floodgate_store::StoreError;

/// What is said of a run that is given up.
#[derive(Clone, Copy, Debug)]
pub struct GivenUp<'a> {
    /// Why, a sentence.
    pub why: &'a str,
    /// Whether a later command may merge what its tasks have written: it has a plan and a definition.
    pub unmerged: bool,
    /// What its tasks could not write into the store.
    pub unwritten: &'a [Unwritten],
}

impl<'a> GivenUp<'a> {
    /// A run of which nothing can be merged.
    pub const fn for_good(why: &'a str) -> Self {
        Self {
            why,
            unmerged: false,
            unwritten: &[],
        }
    }
}

/// Ends the record of a run as `errored` because [`crate::finish`] failed, or because there is no plan or definition to finish it
/// by: one small object, which a store that refuses larger ones may still take. A record that has ended stays as it is. Nothing
/// is merged; shards and manifests stay where they are, for [`crate::finish_late`] if [`GivenUp::unmerged`] says so.
///
/// # Errors
/// What the store refuses; then the record is what it was, and the run can still be finished later.
pub async fn give_up(
    stores: &Stores,
    project: &str,
    id: &str,
    given_up: GivenUp<'_>,
    now_ms: i64,
) -> Result<Execution> {
    let find = || async {
        let found = stores.records.get(Some(project), id);
        found.await?.ok_or_else(|| ControlError::UnknownExecution {
            id: id.to_owned(),
            nearest: None,
        })
    };
    let mut execution = find().await?;
    if execution.status.is_final() {
        return Ok(execution);
    }
    execution.status = Status::Errored;
    execution.reasons = vec![given_up.why.to_owned()];
    execution.unmerged = given_up.unmerged;
    let left = given_up.unwritten;
    execution
        .warnings
        .extend(left.iter().map(|left| left.sentence(id)));
    execution.unwritten = left.to_vec();
    execution.ended_ms = Some(now_ms);
    match stores.records.update(&execution, &Status::OPEN).await {
        Ok(()) => {}
        // Somebody else has ended it meanwhile.
        Err(StoreError::Conflict { .. }) => return find().await,
        Err(error) => return Err(error.into()),
    }
    // What cannot be settled now is when somebody needs the room.
    let _ = budget::settle(stores, &execution).await;
    let outcome = execution.status.as_str();
    let by = principal(&execution).to_owned();
    // The record is what counts; where it just had room, the trail may have none.
    let _ = audit(stores, &execution, &by, Action::GiveUp, outcome, now_ms).await;
    Ok(execution)
}
