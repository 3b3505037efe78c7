//! What the handlers work with.

use crate::caller::Caller;
use crate::identity::Identities;
use crate::observers::Observers;
use crate::problem::Problem;
use crate::starter::Starter;
use crate::turns::Turns;
use async_trait::async_trait;
use floodgate_control::{Stores, Trail, find_in};
use floodgate_core::definition::model::Definition;
use floodgate_policy::Action;
use floodgate_records::execution::Execution;
use floodgate_records::plan::Plan;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

/// Reads the definition of a run that goes on, with what its references stand for.
#[async_trait]
pub trait Definitions: Send + Sync {
    /// The definition that a plan was made from.
    ///
    /// # Errors
    /// Whatever keeps it from being read; the run's progress can't be shown then.
    async fn of(&self, plan: &Plan) -> Result<Definition, Box<dyn Error + Send + Sync>>;
}

/// Less than what proxies give a connection that says nothing.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// What is answered from.
pub struct Service {
    /// Where runs lie.
    pub stores: Stores,
    /// Who notes in the audit trail what is asked for here.
    pub trail: Trail,
    /// Definitions of runs that go on.
    pub definitions: Box<dyn Definitions>,
    /// The time, Unix ms.
    pub now_ms: fn() -> i64,
    /// What starts runs; `None` where none can be started.
    pub starter: Option<Box<dyn Starter>>,
    /// Who is let in, if it is not one person alone.
    pub identities: Option<Arc<Identities>>,
    /// How long a caller may wait for a verdict, whatever they ask for.
    pub longest_wait: Duration,
    /// Where schedules are kept if not in the stores, in a sentence: then there are none to read or to change here.
    pub schedules_elsewhere: Option<&'static str>,
    pub(crate) observers: Observers,
    /// Of starts with a key.
    pub(crate) starts: Turns,
}

impl Service {
    /// Over these stores.
    pub fn new(
        stores: Stores,
        trail: Trail,
        definitions: Box<dyn Definitions>,
        now_ms: fn() -> i64,
    ) -> Self {
        Self {
            stores,
            trail,
            definitions,
            now_ms,
            starter: None,
            identities: None,
            longest_wait: LONGEST_WAIT,
            schedules_elsewhere: None,
            observers: Observers::default(),
            starts: Turns::default(),
        }
    }

    /// The same where nobody waits longer than this for a verdict.
    #[must_use]
    pub fn waiting(self, longest_wait: Duration) -> Self {
        Self {
            longest_wait,
            ..self
        }
    }

    /// The same where schedules are kept elsewhere, as this sentence says.
    #[must_use]
    pub fn scheduling_elsewhere(self, sentence: &'static str) -> Self {
        Self {
            schedules_elsewhere: Some(sentence),
            ..self
        }
    }

    /// The same where runs can be started.
    #[must_use]
    pub fn starting(self, starter: Box<dyn Starter>) -> Self {
        Self {
            starter: Some(starter),
            ..self
        }
    }

    /// The same for those whom these know.
    #[must_use]
    pub fn of(self, identities: Arc<Identities>) -> Self {
        Self {
            identities: Some(identities),
            ..self
        }
    }

    /// A run by its id or the beginning of it, for somebody who may do this in its project.
    pub(crate) async fn find(
        &self,
        caller: &Caller,
        action: Action,
        (project, id): (&str, &str),
    ) -> Result<Execution, Problem> {
        caller.may(action, project)?;
        Ok(find_in(&self.stores, Some(project), id).await?)
    }
}
