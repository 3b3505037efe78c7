//! What a run needs of the account beside tasks: quotas, secrets, the state machine, other functions.

use async_trait::async_trait;
use aws_config::SdkConfig;
use floodgate_store::aws::call::{CallError, Calls, STATES};
use floodgate_store::aws::ecr::{self, ImageName};
use floodgate_store::aws::quota;
use floodgate_store::aws::secret::{self, Secret};
use serde_json::{Value, json};

/// Why there was no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// There is no such thing.
    #[error("{0}")]
    Missing(String),
    /// It may be there; it cannot be told.
    #[error("{0}")]
    Unknown(String),
}

/// What came of a start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartOutcome {
    /// It runs.
    Now,
    /// It was started before.
    Before,
}

/// What Step Functions tells of an execution.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Described {
    /// What it was started with.
    pub input: Option<String>,
    /// The name of the error that it ended with.
    pub error: Option<String>,
    /// Why.
    pub cause: Option<String>,
}

/// An account's other services.
#[async_trait]
pub trait Account: Send + Sync {
    /// A quota of Fargate by its code, in vCPUs.
    async fn vcpu_quota(&self, region: &str, code: &str) -> Result<f64, Refused>;
    /// The ARN of a secret, if it is there.
    async fn secret(&self, reference: &str) -> Result<String, Refused>;
    /// A secret with its value, by its name or ARN.
    async fn read_secret(&self, reference: &str) -> Result<Secret, Refused>;
    /// Has a function called, by its name; what comes of it is not waited for.
    async fn call_later(&self, function: &str, payload: &Value) -> Result<(), Refused>;
    /// The processors that an image in ECR is for, as Docker names them.
    async fn image(&self, name: &ImageName) -> Result<Vec<String>, Refused>;
    /// Starts an execution of a state machine.
    async fn start(&self, machine: &str, name: &str, input: &str) -> Result<StartOutcome, Refused>;
    /// Looks at an execution.
    async fn execution(&self, arn: &str) -> Result<Described, Refused>;
}

/// The account that the functions run in.
pub struct AwsAccount {
    calls: Calls,
}

impl AwsAccount {
    /// With the credentials and the region of a configuration.
    pub fn new(config: &SdkConfig) -> Self {
        Self {
            calls: Calls::new(config),
        }
    }
}

#[async_trait]
impl Account for AwsAccount {
    async fn vcpu_quota(&self, region: &str, code: &str) -> Result<f64, Refused> {
        let calls = self.calls.in_region(region);
        Ok(quota::fargate(&calls, code).await?)
    }

    async fn secret(&self, reference: &str) -> Result<String, Refused> {
        Ok(secret::find(&self.calls, reference).await?)
    }

    async fn read_secret(&self, reference: &str) -> Result<Secret, Refused> {
        Ok(secret::read(&self.calls, reference).await?)
    }

    async fn call_later(&self, function: &str, payload: &Value) -> Result<(), Refused> {
        Ok(self.calls.invoke_later(function, payload).await?)
    }

    async fn image(&self, name: &ImageName) -> Result<Vec<String>, Refused> {
        match ecr::find(&self.calls, name).await? {
            Some(image) => Ok(image.architectures),
            None => Err(Refused::Missing("there is no such image".into())),
        }
    }

    async fn start(&self, machine: &str, name: &str, input: &str) -> Result<StartOutcome, Refused> {
        let input = json!({"stateMachineArn": machine, "name": name, "input": input});
        match self.calls.json(STATES, "StartExecution", &input).await {
            Ok(_) => Ok(StartOutcome::Now),
            Err(error) if error.code() == "ExecutionAlreadyExists" => Ok(StartOutcome::Before),
            Err(error) => Err(error.into()),
        }
    }

    async fn execution(&self, arn: &str) -> Result<Described, Refused> {
        let input = json!({"executionArn": arn});
        let found = self.calls.json(STATES, "DescribeExecution", &input).await?;
        let text = |key: &str| found[key].as_str().map(str::to_owned);
        Ok(Described {
            input: text("input"),
            error: text("error"),
            cause: text("cause"),
        })
    }
}

impl From<CallError> for Refused {
    fn from(error: CallError) -> Self {
        match error.code() {
            "ResourceNotFoundException" | "NoSuchResourceException" => {
                Self::Missing(error.to_string())
            }
            _ => Self::Unknown(error.to_string()),
        }
    }
}
