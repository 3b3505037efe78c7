//! The audit trail.

use crate::error::Result;
use crate::stores::Stores;
use floodgate_records::audit::{Action, AuditEntry};
use floodgate_records::execution::{Execution, PrincipalIs};

/// Who started a run, as far as is known.
pub(crate) fn principal(execution: &Execution) -> &str {
    execution.trigger.principal.as_deref().unwrap_or("unknown")
}

/// Appends to the audit trail what somebody did to a run.
pub(crate) async fn audit(
    stores: &Stores,
    execution: &Execution,
    by: &str,
    action: Action,
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
        action: action.into(),
        execution: execution.id.clone(),
        version: execution.version.clone(),
        outcome: outcome.to_owned(),
    };
    Ok(stores.records.audit(&execution.project, &entry).await?)
}
