//! Where a run's objects and records lie.

use floodgate_store::{ObjectStore, RecordStore};
use std::sync::Arc;

/// Where a run's objects and records lie.
#[derive(Clone)]
pub struct Stores {
    /// Objects.
    pub objects: Arc<dyn ObjectStore>,
    /// Records.
    pub records: Arc<dyn RecordStore>,
}
