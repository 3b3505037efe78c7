//! Who did what to a run.

use crate::execution::{InfrastructureKind, PrincipalIs};
use crate::outcome::{Outcome, ThresholdOutcome};
use crate::word::Word;
use crate::words;
use serde::{Deserialize, Serialize};

/// One line of the audit trail.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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
    /// Where the run takes place; empty in entries of earlier versions.
    #[serde(default, skip_serializing_if = "Word::is_empty")]
    pub infrastructure: Word<InfrastructureKind>,
    /// What came of its thresholds; absent before it ends, and of a test without any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thresholds: Option<ThresholdCounts>,
}

/// What came of a run's thresholds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThresholdCounts {
    /// Hold.
    pub passed: u32,
    /// Are breached.
    pub failed: u32,
    /// Have nothing to judge.
    pub no_data: u32,
}

impl ThresholdCounts {
    /// Counts outcomes; `None` if there are none.
    pub fn of(outcomes: &[ThresholdOutcome]) -> Option<Self> {
        let mut counts = Self::default();
        for outcome in outcomes {
            *match outcome.outcome {
                Outcome::Passed => &mut counts.passed,
                Outcome::Failed => &mut counts.failed,
                Outcome::NoData => &mut counts.no_data,
            } += 1;
        }
        (!outcomes.is_empty()).then_some(counts)
    }
}

words! {
    /// What is done to a run, or to its project.
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
        /// Pins it as the baseline of its test.
        Pin = "pin",
        /// Takes the pin away.
        Unpin = "unpin",
        /// Sets what runs may cost.
        SetBudget = "set budget",
        /// Lets nothing start any more.
        Halt = "halt",
        /// Lets runs start again.
        Resume = "resume",
        /// Writes a schedule.
        SetSchedule = "set schedule",
        /// Removes one.
        RemoveSchedule = "remove schedule",
        /// Gives somebody a role.
        SetMember = "set member",
        /// Takes it.
        RemoveMember = "remove member",
        /// Leaves a scheduled start out.
        Skip = "skip",
    }
}
