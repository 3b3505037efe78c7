//! Starting runs: what is asked for, and who does it.

use async_trait::async_trait;
use floodgate_records::execution::Trigger;
use std::collections::BTreeMap;

/// A run that is to be started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunOrder {
    /// Its id, a ULID.
    pub id: String,
    /// The project that its test has to be of.
    pub project: String,
    /// What is run.
    pub what: RunWhat,
    /// Overrides, as `--set` has them.
    pub parameters: BTreeMap<String, String>,
    /// What `${env:NAME}` stands for.
    pub environment: BTreeMap<String, String>,
    /// Processes that share the load.
    pub generators: u32,
    /// Who starts it, proven, and for what.
    pub trigger: Trigger,
}

/// What is run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunWhat {
    /// A definition as text, YAML or JSON.
    Definition(String),
    /// A version of a test that is on record.
    Version {
        /// The test's name.
        test: String,
        /// SHA-256 of the definition and its files.
        version: String,
    },
}

/// Why a run is not started.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StartError {
    /// It cannot be run as it is: every fault of it.
    #[error("{0}")]
    Invalid(String),
    /// Not now: others go on.
    #[error("{0}")]
    Busy(String),
    /// It may not start: what is over budget, or halted.
    #[error("{0}")]
    Refused(String),
    /// Something that it takes is missing here.
    #[error("{0}")]
    Failed(String),
}

/// Starts runs.
#[async_trait]
pub trait Starter: Send + Sync {
    /// Starts one; it is on record when this returns.
    ///
    /// # Errors
    /// Why it is not started. The same may be asked for again: an id starts one run only.
    async fn start(&self, order: RunOrder) -> Result<(), StartError>;
}
