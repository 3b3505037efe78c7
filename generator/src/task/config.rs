//! What a task is started with.

use crate::environment::TaskEnvironment;
use floodgate_core::definition::Resolver;
use std::sync::Arc;

/// What a task is started with.
#[derive(Clone)]
pub struct Config {
    /// The tenant.
    pub project: String,
    /// The execution's ULID.
    pub execution: String,
    /// Which task of the plan this is.
    pub task: u32,
    /// Threads that send load; by default one a CPU that may be used, and no more than VUs need.
    pub workers: Option<usize>,
    /// Resolves what the definition refers to, on this machine.
    pub resolver: Arc<dyn Resolver + Send + Sync>,
    /// The place that it runs in.
    pub environment: TaskEnvironment,
}
