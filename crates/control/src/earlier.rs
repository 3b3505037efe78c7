//! The runs that a run is compared with.

use crate::error::{ControlError, Result};
use crate::lookup::load_summary;
use crate::pinned::pinned;
use crate::stores::Stores;
use floodgate_core::definition::model::BaselineRef;
use floodgate_records::execution::{Execution, TriggerKind};
use floodgate_records::status::Status;
use floodgate_records::summary::Summary;

/// Records that are looked through for runs that passed.
const AMONG: usize = 500;

/// What there is to compare with.
#[derive(Debug, Default)]
pub(crate) struct Earlier {
    /// The run's account.
    pub(crate) summary: Option<Summary>,
    /// Accounts that cannot be read, or of the one that was named that is not there, a sentence each. Without [`Self::summary`]
    /// there is no comparison for want of them.
    pub(crate) unreadable: Vec<String>,
}

/// Which runs a run may be compared with.
pub(crate) enum Candidates {
    /// This one and no other.
    Named(String),
    /// The first of these that will do, the newest first.
    Passed(Vec<Execution>),
    /// None, although there should be one: a sentence.
    Missing(String),
}

/// The runs that a definition means.
///
/// # Errors
/// What may be asked again: a service that is busy or away.
pub(crate) async fn candidates(
    stores: &Stores,
    reference: &BaselineRef,
    execution: &Execution,
) -> Result<Candidates> {
    let (project, test) = (&execution.project, &execution.test);
    let (which, found) = match reference {
        BaselineRef::Execution(id) => return Ok(Candidates::Named(id.clone())),
        BaselineRef::Pinned => match pinned(stores, project, test).await {
            Ok(Some(id)) => return Ok(Candidates::Named(id)),
            Ok(None) => {
                return Ok(Candidates::Missing(format!(
                    "no run of {project}/{test} is pinned to compare with; pin one with floodgate baseline set {test} RUN"
                )));
            }
            Err(error) => ("the pinned run", Err(error)),
        },
        BaselineRef::LastPassed | BaselineRef::Rolling(_) => {
            ("last-passed", passed_before(stores, execution).await)
        }
    };
    match found {
        Ok(runs) => Ok(Candidates::Passed(runs)),
        Err(error) => Ok(Candidates::Missing(passed_over(which, error)?)),
    }
}

/// The runs of the same test and tier that passed before this one, the newest first.
///
/// # Errors
/// What the store refuses.
pub(crate) async fn passed_before(
    stores: &Stores,
    execution: &Execution,
) -> Result<Vec<Execution>> {
    let (project, test) = (&execution.project, &execution.test);
    let listed = stores
        .records
        .list(Some(project), Some(test), AMONG)
        .await?;
    let mut runs = listed.runs;
    runs.retain(|e| {
        let same = e.tier == execution.tier;
        same && e.status == Status::Passed
            && e.created_ms <= execution.created_ms
            && e.id != execution.id
    });
    Ok(runs)
}

/// How the run of the same test and tier ended that ended before this one; `None` if there was none.
///
/// # Errors
/// What the store refuses.
pub async fn ended_before(stores: &Stores, execution: &Execution) -> Result<Option<Status>> {
    let (project, test) = (&execution.project, &execution.test);
    let listed = stores.records.list(Some(project), Some(test), AMONG);
    let mut runs = listed.await?.runs.into_iter();
    let found = runs.find(|run| {
        let counts = !matches!(
            run.trigger.kind.known(),
            Some(TriggerKind::Hit | TriggerKind::Import)
        );
        let earlier = run.created_ms <= execution.created_ms && run.id != execution.id;
        counts && earlier && run.tier == execution.tier && run.status.is_final()
    });
    Ok(found.map(|run| run.status))
}

/// Looks for the run that a run is compared with by a tolerance. It is looked for when the load has been sent: what cannot be read of
/// other runs must not take the account of this one with it.
///
/// # Errors
/// What may be asked again: a service that is busy or away.
pub(crate) async fn earlier(
    stores: &Stores,
    reference: &BaselineRef,
    execution: &Execution,
) -> Result<Earlier> {
    let mut found = Earlier::default();
    let (ids, is_named) = match candidates(stores, reference, execution).await? {
        Candidates::Named(id) => (vec![id], true),
        Candidates::Passed(runs) => (runs.into_iter().map(|run| run.id).collect(), false),
        Candidates::Missing(why) => {
            found.unreadable.push(why);
            return Ok(found);
        }
    };
    for id in ids {
        match load_summary(stores, &execution.project, &id).await {
            Ok(None) if is_named => found.unreadable.push(gone(&id)),
            Ok(None) => {}
            Ok(summary) => {
                found.summary = summary;
                break;
            }
            Err(error) => found.unreadable.push(passed_over(&id, error)?),
        }
    }
    Ok(found)
}

/// What is said of a named run that is not there.
pub(crate) fn gone(id: &str) -> String {
    format!(
        "no comparison with {id}: it has no summary here; has it been deleted, or was it never in this project?"
    )
}

/// What is said of a run that cannot be read, when it is to be compared with.
///
/// # Errors
/// What may be asked again.
pub(crate) fn passed_over(which: &str, error: ControlError) -> Result<String> {
    Ok(format!("no comparison with {}", unread(which, error)?))
}

/// What is said of a run that cannot be read.
///
/// # Errors
/// What may be asked again.
pub(crate) fn unread(which: &str, error: ControlError) -> Result<String> {
    match &error {
        ControlError::Store(cause) if cause.is_temporary() => Err(error),
        _ => Ok(format!("{which}: {error}")),
    }
}
