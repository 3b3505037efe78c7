//! What a run in the cloud would take and cost: the answer to a dry run.

use crate::architecture::Architecture;
use crate::cost::Cost;
use crate::word::Word;
use serde::{Deserialize, Serialize};

/// A run that was prepared and not started. Nothing of it is recorded.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The tenant.
    pub project: String,
    /// The test's name.
    pub test: String,
    /// SHA-256 of the normalised definition and its files, in lower-case hex.
    pub version: String,
    /// Tasks that it would start.
    pub tasks: u32,
    /// Where; each region once.
    pub regions: Vec<String>,
    /// The processor of the tasks.
    pub architecture: Word<Architecture>,
    /// CPU units of a task; 1024 are one vCPU.
    pub cpu: u32,
    /// Memory of a task in MiB.
    pub memory: u32,
    /// How long its load may go on, in seconds.
    pub longest_s: u64,
    /// The estimate, with what it is made of.
    pub cost: Cost,
    /// What the record of a run would warn of.
    pub warnings: Vec<String>,
    /// Whether this version is now the newest of its test, which schedules run.
    pub registered: bool,
    /// Why it would not be started. All else is unknown then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<Refused>,
}

/// Why a run would be refused.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// The error that the state machine would end with.
    pub error: String,
    /// In words, with the remedy.
    pub reason: String,
}
