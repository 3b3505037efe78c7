//! Exports of runs, while they go on and afterwards: what tasks wrote or what was merged is read from the store and handed to a sink, here
//! and in the cloud by the same code.

mod live;
mod merged;
mod stored;
mod told;

pub use live::{Delivered, Live, Source, WHILE_RUNNING};
pub use stored::export_stored;
pub use told::Told;

use floodgate_control::ControlError;
use floodgate_export::TargetError;
use floodgate_store::StoreError;

/// Why a run cannot be exported.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// A target whose options are not valid, or that cannot be opened.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// The record or the summary cannot be read.
    #[error(transparent)]
    Control(#[from] ControlError),
    /// What the store refuses.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The merged windows cannot be read.
    #[error("{key} is damaged: {why}; put it back from a back-up")]
    Corrupt {
        /// The object, by its place.
        key: String,
        /// What is wrong with it.
        why: String,
    },
    /// There are none.
    #[error("execution {id} is {status}, and what it measured is not here")]
    Missing {
        /// The run.
        id: String,
        /// How it stands.
        status: &'static str,
    },
}
