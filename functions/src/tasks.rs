//! What a run needs of the service that runs containers, and nothing more.

use crate::error::Cause;
use crate::stack_config::Network;
use async_trait::async_trait;

/// One task to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunRequest {
    /// Where.
    pub region: String,
    /// In which cluster.
    pub cluster: String,
    /// Family or ARN.
    pub task_definition: String,
    /// The role of the task instead of its definition's, as an ARN.
    pub task_role: Option<String>,
    /// CPU units.
    pub cpu: u32,
    /// MiB.
    pub memory: u32,
    /// The environment of the container.
    pub environment: Vec<(String, String)>,
    /// The execution: by it all tasks of a run are found again.
    pub started_by: String,
    /// The same for the same request, so that it is never carried out twice.
    pub client_token: String,
    /// For the bill.
    pub tags: Vec<(String, String)>,
    /// What it runs on.
    pub capacity: RunCapacity,
    /// Where its network interface lies; `None` if the cluster decides.
    pub network: Option<Network>,
}

/// What a task runs on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunCapacity {
    /// A capacity provider.
    Provider(String),
    /// A launch type.
    LaunchType(String),
}

impl RunCapacity {
    /// Its name.
    pub fn name(&self) -> &str {
        match self {
            Self::Provider(name) | Self::LaunchType(name) => name,
        }
    }
}

/// A task that was accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StartedTask {
    /// Its ARN.
    pub arn: String,
}

/// Why a task was not started, or the service did not answer.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// Too many calls: later.
    #[error("{0}")]
    Throttled(#[source] Cause),
    /// There is no capacity now: later, or elsewhere.
    #[error("{0}")]
    Capacity(#[source] Cause),
    /// The service or the way to it failed: later.
    #[error("{0}")]
    Service(#[source] Cause),
    /// It will be refused again.
    #[error("{0}")]
    Refused(#[source] Cause),
}

/// A task as the service sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TaskStatus {
    /// Its ARN.
    pub arn: String,
    /// The number that it was given in its environment.
    pub task: Option<u32>,
    /// The capacity provider or launch type.
    pub capacity: String,
    /// Whether it has stopped, or is unknown by now.
    pub stopped: bool,
    /// Why: the service's reason, with the container's exit code. Goes on from "it".
    pub reason: String,
}

/// What tasks take up of the quotas, in vCPUs.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Vcpus {
    /// On-Demand.
    pub on_demand: f64,
    /// Spot.
    pub spot: f64,
}

/// Running containers.
#[async_trait]
pub trait Tasks: Send + Sync {
    /// Starts one task.
    async fn run(&self, request: &RunRequest) -> Result<StartedTask, RunError>;
    /// Looks at tasks by their ARNs; any number. One that the service does not know any more is stopped.
    async fn describe(
        &self,
        region: &str,
        cluster: &str,
        arns: &[String],
    ) -> Result<Vec<TaskStatus>, RunError>;
    /// The ARNs of the tasks that were started by an execution and are not stopped or stopping.
    async fn started_by(
        &self,
        region: &str,
        cluster: &str,
        execution: &str,
    ) -> Result<Vec<String>, RunError>;
    /// What the tasks of a cluster take up that run or are about to.
    async fn in_use(&self, region: &str, cluster: &str) -> Result<Vcpus, RunError>;
    /// Stops a task; no error if it has stopped.
    async fn stop(
        &self,
        region: &str,
        cluster: &str,
        arn: &str,
        reason: &str,
    ) -> Result<(), RunError>;
}

impl From<RunError> for crate::FunctionError {
    fn from(error: RunError) -> Self {
        match error {
            RunError::Throttled(_) => Self::Throttled(error.into()),
            RunError::Capacity(_) | RunError::Service(_) => Self::placement(error),
            RunError::Refused(_) => Self::errored(error),
        }
    }
}
