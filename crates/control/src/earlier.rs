//! The run that another one is compared with.

use crate::error::{ControlError, Result};
use crate::lookup::load_summary;
use crate::stores::Stores;
use floodgate_core::definition::model::BaselineRef;
use floodgate_records::execution::Execution;
use floodgate_records::status::Status;
use floodgate_records::summary::Summary;

/// Records that are looked through for the last run that passed.
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

/// Looks for the run that a run is compared with. It is looked for when the load has been sent: what cannot be read of other runs
/// must not take the account of this one with it.
///
/// # Errors
/// What may be asked again: a service that is busy or away.
pub(crate) async fn earlier(
    stores: &Stores,
    reference: &BaselineRef,
    execution: &Execution,
) -> Result<Earlier> {
    let mut found = Earlier::default();
    let candidates = match reference {
        BaselineRef::Execution(id) => vec![id.clone()],
        BaselineRef::LastPassed => last_passed(stores, execution, &mut found).await?,
    };
    for id in candidates {
        match load_summary(stores, &execution.project, &id).await {
            Ok(None) if matches!(reference, BaselineRef::Execution(_)) => {
                found.unreadable.push(format!(
                    "no comparison with {id}: it has no summary here; has it been deleted, or was it never in this project?"
                ));
            }
            Ok(None) => {}
            Ok(summary) => {
                found.summary = summary;
                break;
            }
            Err(error) => found.pass_over(&id, error)?,
        }
    }
    Ok(found)
}

/// The runs of the same test that passed before this one, the newest first.
async fn last_passed(
    stores: &Stores,
    execution: &Execution,
    found: &mut Earlier,
) -> Result<Vec<String>> {
    let (project, test) = (&execution.project, &execution.test);
    let listed = match stores.records.list(Some(project), Some(test), AMONG).await {
        Ok(listed) => listed,
        Err(error) => {
            found.pass_over("last-passed", error.into())?;
            return Ok(Vec::new());
        }
    };
    let earlier =
        |e: &&Execution| e.status == Status::Passed && e.created_ms <= execution.created_ms;
    let others = listed.runs.iter().filter(|e| e.id != execution.id);
    Ok(others.filter(earlier).map(|e| e.id.clone()).collect())
}

impl Earlier {
    fn pass_over(&mut self, which: &str, error: ControlError) -> Result<()> {
        if matches!(&error, ControlError::Store(error) if error.is_temporary()) {
            return Err(error);
        }
        self.unreadable
            .push(format!("no comparison with {which}: {error}"));
        Ok(())
    }
}
