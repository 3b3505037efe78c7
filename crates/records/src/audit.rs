//! Who did what to a run.

use crate::execution::PrincipalIs;
use crate::word::Word;
use crate::words;
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
    /// What they did.
    pub action: Word<Action>,
    /// The execution.
    pub execution: String,
    /// The version of the test.
    pub version: String,
    /// What came of it.
    pub outcome: String,
}

words! {
    /// What is done to a run.
    pub Action {
        /// Starts it.
        Start = "start",
        /// Refuses to start it.
        Refuse = "refuse",
        /// Orders it to stop.
        Abort = "abort",
        /// Merges and judges it.
        Finish = "finish",
        /// Ends it without a verdict.
        GiveUp = "give up",
        /// Merges what its verdict went without.
        Merge = "merge",
    }
}
