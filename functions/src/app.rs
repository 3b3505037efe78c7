//! What all functions share.

use crate::account::Account;
use crate::clock::Clock;
use crate::config::Config;
use crate::metrics::Metrics;
use crate::tasks::Tasks;
use floodgate_control::Stores;
use floodgate_export::Reach;
use floodgate_log::Sink;
use floodgate_notify::Courier;
use std::sync::Arc;
use std::time::Duration;
use tracing::Span;

/// A function with everything that it works on.
#[derive(Clone)]
pub struct App {
    /// What its environment says.
    pub config: Config,
    /// Bucket and table.
    pub stores: Stores,
    /// Containers.
    pub tasks: Arc<dyn Tasks>,
    /// The rest of the account.
    pub account: Arc<dyn Account>,
    /// Brings notifications.
    pub courier: Arc<Courier>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Where its metrics go: the log.
    pub out: Sink,
    /// How long an invocation of launch, watch or reap may stay and look again, and an export may take; below the function's time-out.
    pub stay: Duration,
    /// Where what sends results on may connect to.
    pub reach: Reach,
}

impl App {
    /// How long invocations stay.
    pub const STAY: Duration = Duration::from_secs(20);

    /// The same; from now on log lines of the invocation name the execution.
    #[must_use]
    pub(crate) fn of(&self, execution: &str) -> Self {
        Span::current().record("execution", execution);
        self.clone()
    }

    /// Metrics of a project.
    pub(crate) fn metrics<'a>(&'a self, project: &'a str) -> Metrics<'a> {
        Metrics::new(&self.out, &self.config.stack, project, self.clock.now_ms())
    }
}
