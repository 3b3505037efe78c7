//! Who did what to a run.

use crate::execution::PrincipalIs;
use serde::{Deserialize, Serialize};

/// One line of the audit trail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// Unix ms.
    pub at_ms: i64,
    /// Who acts.
    pub principal: String,
    /// How much that name is worth.
    #[serde(default)]
    pub principal_is: PrincipalIs,
    /// `start`, `refuse`, `abort`, `finish`, `give up`, `merge`.
    pub action: String,
    /// The execution.
    pub execution: String,
    /// The version of the test.
    pub version: String,
    /// What came of it.
    pub outcome: String,
}
