//! What can go wrong between the preparation of a run and its end.

use floodgate_core::syntax::SyntaxError;
use floodgate_policy::budget::OverBudget;
use floodgate_store::json::JsonError;
use floodgate_store::{MIN_PREFIX, StoreError};
use std::error::Error;

/// Why a run could not be prepared, watched or finished. A failed threshold is not among these.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Another run has this id.
    #[error(
        "execution {id} exists already; an id starts one run only, leave --id out to get a new one"
    )]
    IdTaken {
        /// The id.
        id: String,
    },
    /// There is no such run.
    #[error("there is no execution {id:?}{}", hint(.id, .nearest.as_deref()))]
    UnknownExecution {
        /// What was asked for.
        id: String,
        /// The id that it resembles.
        nearest: Option<String>,
    },
    /// An object that the run needs is not there.
    #[error("{key}: not found; {consequence}")]
    Missing {
        /// The object.
        key: String,
        /// What cannot be done without it.
        consequence: &'static str,
    },
    /// An object cannot be read.
    #[error("{key} is damaged: {source}; put it back from a back-up")]
    Corrupt {
        /// The object, by its place.
        key: String,
        /// What is wrong with it.
        source: Box<dyn Error + Send + Sync>,
    },
    /// More tasks than a run may have, or none.
    #[error("{tasks} tasks; from 1 to {MAX_TASKS} are possible")]
    Tasks {
        /// How many were asked for.
        tasks: u32,
    },
    /// It may not start: nothing may, or it may cost too much.
    #[error(transparent)]
    OverBudget(#[from] OverBudget),
    /// A schedule that cannot be kept.
    #[error("schedule {name:?}: {problem}")]
    Schedule {
        /// Its name.
        name: String,
        /// What is wrong, and what to do.
        problem: String,
    },
    /// The run is over.
    #[error("execution {id} has ended already ({status})")]
    Ended {
        /// The run.
        id: String,
        /// Its status.
        status: &'static str,
    },
    /// A run that cannot be what others are compared with.
    #[error("execution {id} cannot be a baseline: {why}")]
    NotABaseline {
        /// The run.
        id: String,
        /// Why, and what to do.
        why: String,
    },
    /// The definition of the run cannot be judged.
    #[error("the definition of this run is not usable: {source}")]
    Definition {
        /// Every fault.
        source: Box<dyn Error + Send + Sync>,
    },
}

/// Thresholds or a baseline that no longer compile.
#[derive(Debug, thiserror::Error)]
#[error("{}", sentences(.0))]
pub(crate) struct Uncompiled(pub(crate) Vec<SyntaxError>);

fn sentences(faults: &[SyntaxError]) -> String {
    let faults = faults.iter().map(ToString::to_string);
    faults.collect::<Vec<_>>().join("; ")
}

impl From<JsonError> for ControlError {
    fn from(error: JsonError) -> Self {
        match error {
            JsonError::Store(error) => error.into(),
            JsonError::Malformed { key, source } => Self::Corrupt {
                key,
                source: source.into(),
            },
        }
    }
}

pub use floodgate_records::plan::MAX_TASKS;

/// Results of this crate.
pub type Result<T> = std::result::Result<T, ControlError>;

fn hint(id: &str, nearest: Option<&str>) -> String {
    match nearest {
        Some(nearest) => format!("; did you mean {nearest}?"),
        None if id.len() < MIN_PREFIX => {
            format!("; give at least {MIN_PREFIX} characters (`floodgate runs` lists them)")
        }
        None => "; `floodgate runs` lists them".into(),
    }
}

/// The cause of a state machine's error in plain words: that of a function comes as JSON around its message.
pub fn plain_cause(cause: &str) -> String {
    serde_json::from_str::<serde_json::Value>(cause)
        .ok()
        .and_then(|cause| Some(cause.get("errorMessage")?.as_str()?.to_owned()))
        .unwrap_or_else(|| cause.to_owned())
}
