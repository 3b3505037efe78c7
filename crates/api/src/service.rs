//! What the handlers work with.

use crate::observers::Observers;
use async_trait::async_trait;
use floodgate_control::{Stores, Trail};
use floodgate_core::definition::model::Definition;
use floodgate_records::plan::Plan;
use std::error::Error;

/// Reads the definition of a run that goes on, with what its references stand for.
#[async_trait]
pub trait Definitions: Send + Sync {
    /// The definition that a plan was made from.
    ///
    /// # Errors
    /// Whatever keeps it from being read; the run's progress can't be shown then.
    async fn of(&self, plan: &Plan) -> Result<Definition, Box<dyn Error + Send + Sync>>;
}

/// The stores, and in whose name they are read and changed.
pub struct Service {
    /// Where runs lie.
    pub stores: Stores,
    /// The project that may be seen; `None` for all of them.
    pub project: Option<String>,
    /// Who orders runs to stop.
    pub by: String,
    /// Who notes such an order.
    pub trail: Trail,
    /// Definitions of runs that go on.
    pub definitions: Box<dyn Definitions>,
    /// The time, Unix ms.
    pub now_ms: fn() -> i64,
    pub(crate) observers: Observers,
}

impl Service {
    /// Over all projects of these stores.
    pub fn new(
        stores: Stores,
        by: String,
        trail: Trail,
        definitions: Box<dyn Definitions>,
        now_ms: fn() -> i64,
    ) -> Self {
        Self {
            stores,
            project: None,
            by,
            trail,
            definitions,
            now_ms,
            observers: Observers::default(),
        }
    }

    /// Over one project alone.
    #[must_use]
    pub fn of_project(self, project: Option<String>) -> Self {
        Self { project, ..self }
    }
}
