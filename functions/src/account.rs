//! What a run needs of the account beside tasks: quotas, secrets, the state machine, other functions.

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_secretsmanager::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use floodgate_store::aws::call::{CallError, Calls, SECRETS};
use floodgate_store::aws::ecr::{self, ImageName};
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

/// A secret with its value.
pub struct Secret {
    /// Its ARN.
    pub arn: String,
    /// Its value.
    pub text: String,
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
    config: SdkConfig,
}

impl AwsAccount {
    /// With the credentials and the HTTP client of a configuration.
    pub fn new(config: &SdkConfig) -> Self {
        Self {
            config: config.clone(),
        }
    }
}

#[async_trait]
impl Account for AwsAccount {
    async fn vcpu_quota(&self, region: &str, code: &str) -> Result<f64, Refused> {
        let config = aws_sdk_servicequotas::config::Builder::from(&self.config).region(
            aws_sdk_servicequotas::config::Region::new(region.to_owned()),
        );
        let client = aws_sdk_servicequotas::Client::from_conf(config.build());
        let call = client
            .get_service_quota()
            .service_code("fargate")
            .quota_code(code);
        let answer = call.send().await.map_err(refused)?;
        answer
            .quota()
            .and_then(|q| q.value())
            .ok_or_else(|| Refused::Unknown("the answer has no value".into()))
    }

    async fn secret(&self, reference: &str) -> Result<String, Refused> {
        let client = aws_sdk_secretsmanager::Client::new(&self.config);
        let call = client.describe_secret().secret_id(reference);
        let secret = call.send().await.map_err(refused)?;
        Ok(secret.arn.unwrap_or_default())
    }

    async fn read_secret(&self, reference: &str) -> Result<Secret, Refused> {
        let mut calls = Calls::new(&self.config);
        // An ARN names its region, which may be another than the function's.
        if let Some(region) = region_of(reference) {
            calls = calls.in_region(region);
        }
        let input = json!({"SecretId": reference});
        let found = calls.json(SECRETS, "GetSecretValue", &input).await;
        let found = found.map_err(called)?;
        let text = |key: &str| found[key].as_str().map(str::to_owned);
        match text("SecretString") {
            Some(value) => Ok(Secret {
                arn: text("ARN").unwrap_or_default(),
                text: value,
            }),
            None => Err(Refused::Unknown("it is binary: store it as text".into())),
        }
    }

    async fn call_later(&self, function: &str, payload: &Value) -> Result<(), Refused> {
        let calls = Calls::new(&self.config);
        calls.invoke_later(function, payload).await.map_err(called)
    }

    async fn image(&self, name: &ImageName) -> Result<Vec<String>, Refused> {
        match ecr::find(&Calls::new(&self.config), name).await {
            Ok(Some(image)) => Ok(image.architectures),
            Ok(None) => Err(Refused::Missing("there is no such image".into())),
            Err(error) => Err(Refused::Unknown(error.to_string())),
        }
    }

    async fn start(&self, machine: &str, name: &str, input: &str) -> Result<StartOutcome, Refused> {
        let client = aws_sdk_sfn::Client::new(&self.config);
        let call = client
            .start_execution()
            .state_machine_arn(machine)
            .name(name)
            .input(input);
        match call.send().await {
            Ok(_) => Ok(StartOutcome::Now),
            Err(error) if error.code() == Some("ExecutionAlreadyExists") => {
                Ok(StartOutcome::Before)
            }
            Err(error) => Err(refused(error)),
        }
    }

    async fn execution(&self, arn: &str) -> Result<Described, Refused> {
        let client = aws_sdk_sfn::Client::new(&self.config);
        let call = client.describe_execution().execution_arn(arn);
        let found = call.send().await.map_err(refused)?;
        Ok(Described {
            input: found.input,
            error: found.error,
            cause: found.cause,
        })
    }
}

/// The region in an ARN.
fn region_of(arn: &str) -> Option<&str> {
    let mut fields = arn.strip_prefix("arn:")?.split(':');
    fields.nth(2).filter(|region| !region.is_empty())
}

fn called(error: CallError) -> Refused {
    match error.code() {
        "ResourceNotFoundException" => Refused::Missing(error.to_string()),
        _ => Refused::Unknown(error.to_string()),
    }
}

fn refused<E>(error: SdkError<E>) -> Refused
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let text = match (error.code(), error.message()) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        _ => DisplayErrorContext(&error).to_string(),
    };
    match error.code() {
        Some("ResourceNotFoundException" | "NoSuchResourceException") => Refused::Missing(text),
        _ => Refused::Unknown(text),
    }
}
