//! The audit trail.

use crate::error::Result;
use crate::stores::Stores;
use floodgate_records::audit::{Action, AuditEntry, ThresholdCounts};
use floodgate_records::execution::{Execution, PrincipalIs};

/// Whoever has no name.
pub const UNKNOWN_PRINCIPAL: &str = "unknown";

/// Who started a run, as far as is known.
pub(crate) fn principal(execution: &Execution) -> &str {
    execution
        .trigger
        .principal
        .as_deref()
        .unwrap_or(UNKNOWN_PRINCIPAL)
}

/// Who does something to a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Who<'a> {
    /// Their name.
    pub name: &'a str,
    /// How much it is worth; `None`: as much as the record says, if they started the run, else it is a claim.
    pub is: Option<PrincipalIs>,
}

impl<'a> From<&'a str> for Who<'a> {
    fn from(name: &'a str) -> Self {
        Self { name, is: None }
    }
}

impl<'a> From<&'a String> for Who<'a> {
    fn from(name: &'a String) -> Self {
        name.as_str().into()
    }
}

/// Appends to the audit trail what somebody did to a project.
///
/// # Errors
/// What the store refuses.
pub async fn note(
    stores: &Stores,
    project: &str,
    by: impl Into<Who<'_>>,
    action: Action,
    outcome: &str,
    now_ms: i64,
) -> Result<()> {
    let by = by.into();
    let entry = AuditEntry {
        at_ms: now_ms,
        principal: by.name.to_owned(),
        principal_is: by.is.unwrap_or_default(),
        action: action.into(),
        outcome: outcome.to_owned(),
        ..AuditEntry::default()
    };
    Ok(stores.records.audit(project, &entry).await?)
}

/// Appends to the audit trail what somebody did to a run.
pub(crate) async fn audit(
    stores: &Stores,
    execution: &Execution,
    by: impl Into<Who<'_>>,
    action: Action,
    outcome: &str,
    now_ms: i64,
) -> Result<()> {
    let by = by.into();
    let claimed = || match by.name == principal(execution) {
        true => execution.trigger.principal_is,
        false => PrincipalIs::Claimed,
    };
    let entry = AuditEntry {
        at_ms: now_ms,
        principal: by.name.to_owned(),
        principal_is: by.is.unwrap_or_else(claimed),
        action: action.into(),
        execution: execution.id.clone(),
        version: execution.version.clone(),
        outcome: outcome.to_owned(),
        infrastructure: execution.infrastructure.kind.clone(),
        thresholds: ThresholdCounts::of(&execution.thresholds),
    };
    Ok(stores.records.audit(&execution.project, &entry).await?)
}
