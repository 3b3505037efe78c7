//! What prepares, watches, collects and finishes a run: the same code behind the command line and behind the functions
//! in the cloud.
//!
//! Everything goes through the storage traits; nothing here starts a process, reads a clock or knows a path. The caller
//! passes the time in, starts the tasks after [`prepare()`], calls [`watch::Watch::step`] until it says that the tasks have
//! ended, and then [`finish`]; where the store refuses that, [`give_up`].

pub mod collect;
mod earlier;
mod error;
mod failures;
mod finish;
mod give_up;
mod home;
pub mod json;
pub mod load;
mod lookup;
mod orphan;
pub mod placement;
mod prefetch;
mod prepare;
mod refuse;
mod stop;
pub mod watch;

pub use error::{ControlError, MAX_TASKS, Result, plain_cause};
pub use failures::load_failures;
pub use finish::{Closing, Finished, LostTask, Measured, Settle, finish, finish_with};
pub use give_up::{GivenUp, give_up};
pub use home::{Home, bring_home};
pub use lookup::{find, find_in, load_plan, load_summary};
pub use orphan::{COORDINATOR_GONE, finish_late, finish_orphan};
pub use prepare::{
    PlanOptions, Prepared, TestPackage, UNKNOWN_DURATION, lay_out, max_duration, prepare,
};
pub use refuse::{Refusal, UNKNOWN_TEST, refuse};
pub use stop::{Trail, abort, note_order, note_stop, order_stop, read_stop, stop_by_person};

use floodgate_records::audit::AuditEntry;
use floodgate_records::execution::{Execution, PrincipalIs};
use floodgate_store::{ObjectStore, RecordStore};
use std::sync::Arc;

/// Where a run's objects and records lie.
#[derive(Clone)]
pub struct Stores {
    /// Objects.
    pub objects: Arc<dyn ObjectStore>,
    /// Records.
    pub records: Arc<dyn RecordStore>,
}

/// Who started a run, as far as is known.
fn principal(execution: &Execution) -> &str {
    execution.trigger.principal.as_deref().unwrap_or("unknown")
}

/// Appends to the audit trail what somebody did to a run.
async fn audit(
    stores: &Stores,
    execution: &Execution,
    by: &str,
    action: &str,
    outcome: &str,
    now_ms: i64,
) -> Result<()> {
    let entry = AuditEntry {
        at_ms: now_ms,
        principal: by.to_owned(),
        principal_is: match by == principal(execution) {
            true => execution.trigger.principal_is,
            false => PrincipalIs::Claimed,
        },
        action: action.to_owned(),
        execution: execution.id.clone(),
        version: execution.version.clone(),
        outcome: outcome.to_owned(),
    };
    Ok(stores.records.audit(&execution.project, &entry).await?)
}
