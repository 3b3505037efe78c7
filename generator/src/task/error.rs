//! Why a task could not run.

use super::worker::PrepareError;
use crate::flow::FileError;
use crate::http::SetupError;
use floodgate_core::definition::Faults;
use floodgate_core::schedule::SegmentError;
use floodgate_core::targets::BadTarget;
use floodgate_engines::{ControlError, LaunchError};
use floodgate_store::StoreError;
use std::io;

/// Why a task could not run.
#[derive(Debug, thiserror::Error)]
pub enum TaskError {
    /// Something that it needs is not in the store.
    #[error("{key}: not found; is the execution's id right, and was it prepared?")]
    Missing {
        /// The key.
        key: String,
    },
    /// Something in the store does not read back.
    #[error("{key}: {source}")]
    Malformed {
        /// The key.
        key: String,
        /// What is wrong.
        source: MalformedObject,
    },
    /// The plan has no such task.
    #[error("task {task} is not in the plan, which has {tasks}")]
    NoSuchTask {
        /// The task.
        task: u32,
        /// How many the plan has.
        tasks: usize,
    },
    /// The plan's weights are none.
    #[error(transparent)]
    Segment(#[from] SegmentError),
    /// The plan's list of targets is none.
    #[error(transparent)]
    Targets(#[from] BadTarget),
    /// A file of the definition cannot be used.
    #[error(transparent)]
    Files(#[from] FileError),
    /// The options of the client cannot be used.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// A worker cannot send its part.
    #[error(transparent)]
    Prepare(#[from] PrepareError),
    /// The engine cannot be started.
    #[error(transparent)]
    Launch(#[from] LaunchError),
    /// The engine does not do as it is told before the start.
    #[error(transparent)]
    Control(#[from] ControlError),
    /// The system refuses something.
    #[error("{what}: {source}")]
    System {
        /// What was attempted.
        what: String,
        /// Why.
        source: io::Error,
    },
    /// It ended, or was ended, before it could start.
    #[error("{0}")]
    NotReady(String),
    /// The store did not answer in time.
    #[error("{key}: {bytes} bytes could not be written: the store does not answer")]
    NoAnswer {
        /// The key.
        key: String,
        /// How much was to be written.
        bytes: usize,
    },
    /// The account of what was measured is not in the store.
    #[error("{shards}; the manifest could not be written: {source}; {place}")]
    Undelivered {
        /// What became of the shards.
        shards: String,
        /// Why.
        source: Box<TaskError>,
        /// Where the manifest lies in place of the store.
        place: String,
    },
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl TaskError {
    /// What a refusal of the system becomes: for `map_err`.
    pub(crate) fn system(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |source| Self::System { what, source }
    }
}

/// What is wrong with an object of the store.
#[derive(Debug, thiserror::Error)]
pub enum MalformedObject {
    /// It is not the JSON that it should be.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// It is a definition with faults.
    #[error(transparent)]
    Definition(#[from] Faults),
    /// It is a file of another folder.
    #[error("its path leaves the folder")]
    Outside,
}
