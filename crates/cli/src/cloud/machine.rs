//! The state machine, as far as a run's start and end are concerned.

use crate::error::{Cause, CliError, Result};
use aws_config::SdkConfig;
use aws_sdk_sts::error::{ProvideErrorMetadata, SdkError};
use floodgate_control::plain_cause;
use floodgate_records::status::{ERROR_INVALID, EXIT_INVALID, Status};
use floodgate_store::aws::call::{CallError, Calls, STATES};
use serde_json::{Value, json};
use std::error::Error;

/// How an execution of the state machine stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stand {
    /// It goes on.
    Running,
    /// It ended in success, and gave this.
    Succeeded(String),
    /// It ended otherwise.
    Failed {
        /// The error's name; for an execution that was stopped or timed out, that.
        error: String,
        /// Why.
        cause: String,
    },
}

/// What is asked of a state machine.
pub(crate) trait Machine {
    /// Starts an execution under a name that only one may have; its ARN. The same again is the same execution.
    async fn start(&self, name: &str, input: &str) -> Result<String>;
    /// How an execution stands; `None` if there is none of this name.
    async fn look(&self, name: &str) -> Result<Option<Stand>>;
}

/// The one on AWS.
pub(crate) struct AwsMachine {
    calls: Calls,
    /// The ARNs that it may have, the likeliest first: a project has a machine of its own or not, and who starts runs of one may
    /// not be allowed to find out.
    arns: Vec<String>,
}

impl AwsMachine {
    pub(super) fn new(config: &SdkConfig, arns: Vec<String>) -> Self {
        Self {
            calls: Calls::new(config),
            arns,
        }
    }
}

/// What is answered of a machine that is not there, to whoever may know that and to whoever may not.
const NOT_THIS_MACHINE: [&str; 3] = [
    "StateMachineDoesNotExist",
    "AccessDeniedException",
    "AccessDenied",
];

impl Machine for AwsMachine {
    async fn start(&self, name: &str, input: &str) -> Result<String> {
        let mut refused = None;
        for arn in &self.arns {
            let input = json!({"stateMachineArn": arn, "name": name, "input": input});
            let error = match self.calls.json(STATES, "StartExecution", &input).await {
                Ok(started) => return Ok(text(&started, "executionArn")),
                Err(error) => error,
            };
            let not_this_machine = NOT_THIS_MACHINE.contains(&error.code());
            let error = unanswered(&format!("start {arn}"), error);
            if !not_this_machine {
                return Err(error);
            }
            refused.get_or_insert(error);
        }
        Err(refused.unwrap_or_else(|| CliError::usage("no state machine is known")))
    }

    async fn look(&self, name: &str) -> Result<Option<Stand>> {
        let mut refused = None;
        for machine in &self.arns {
            let arn = machine.replacen(":stateMachine:", ":execution:", 1);
            let arn = format!("{arn}:{name}");
            let input = json!({"executionArn": arn});
            match self.calls.json(STATES, "DescribeExecution", &input).await {
                Ok(found) => return Ok(Some(stand(&found))),
                Err(error) if error.code() == "ExecutionDoesNotExist" => {}
                Err(error) => {
                    let not_this_machine = NOT_THIS_MACHINE.contains(&error.code());
                    let error = unanswered(&format!("look at {arn}"), error);
                    if !not_this_machine {
                        return Err(error);
                    }
                    refused.get_or_insert(error);
                }
            }
        }
        // One that may be looked at and has no such execution is an answer.
        let all = self.arns.len();
        refused.filter(|_| all == 1).map_or(Ok(None), Err)
    }
}

fn text(answer: &Value, key: &str) -> String {
    answer[key].as_str().unwrap_or_default().to_owned()
}

/// The statuses are those of
/// <https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeExecution.html>.
fn stand(found: &Value) -> Stand {
    match found["status"].as_str().unwrap_or_default() {
        "SUCCEEDED" => Stand::Succeeded(text(found, "output")),
        "RUNNING" | "PENDING_REDRIVE" => Stand::Running,
        other => Stand::Failed {
            error: found["error"].as_str().unwrap_or(other).to_owned(),
            cause: plain_cause(&text(found, "cause")),
        },
    }
}

/// The exit code that the state machine's error stands for.
pub(super) fn exit_code(error: &str) -> u8 {
    let ended = [Status::Failed, Status::Inconclusive, Status::Aborted];
    match error {
        ERROR_INVALID => EXIT_INVALID,
        // Of an execution that was stopped.
        "ABORTED" => Status::Aborted.exit_code(),
        _ => ended
            .into_iter()
            .find(|status| status.error_name() == Some(error))
            .unwrap_or(Status::Errored)
            .exit_code(),
    }
}

/// Who we are to AWS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Caller {
    pub(crate) arn: String,
    pub(crate) account: String,
    /// `aws`, `aws-cn`, …
    pub(crate) partition: String,
}

/// The ids of runs of a stack that are on, of all projects.
///
/// # Errors
/// What Step Functions refuses.
pub(crate) async fn running(config: &SdkConfig, stack: &str) -> Result<Vec<String>> {
    let calls = Calls::new(config);
    // A project's has the stack's name and a low line in front, which neither has in its own.
    let own = |name: &str| {
        name == stack
            || name
                .strip_prefix(stack)
                .is_some_and(|rest| rest.starts_with('_'))
    };
    let mut names = Vec::new();
    let listing = (json!({}), "stateMachines");
    let machines = listed(&calls, "ListStateMachines", listing).await;
    let machines = machines.map_err(|e| unanswered("list the state machines", e))?;
    for machine in machines
        .iter()
        .filter(|machine| own(&text(machine, "name")))
    {
        let arn = text(machine, "stateMachineArn");
        let input = json!({"stateMachineArn": arn, "statusFilter": "RUNNING"});
        let found = listed(&calls, "ListExecutions", (input, "executions")).await;
        let found = found.map_err(|e| unanswered(&format!("list the runs of {arn}"), e))?;
        names.extend(found.iter().map(|execution| text(execution, "name")));
    }
    Ok(names)
}

/// All pages of a listing: what lies under its key.
async fn listed(
    calls: &Calls,
    action: &str,
    (mut input, key): (Value, &str),
) -> std::result::Result<Vec<Value>, CallError> {
    let mut all = Vec::new();
    loop {
        let mut page = calls.json(STATES, action, &input).await?;
        if let Some(items) = page[key].as_array_mut() {
            all.append(items);
        }
        match page["nextToken"].take() {
            Value::Null => return Ok(all),
            next => input["nextToken"] = next,
        }
    }
}

/// What a call that has no answer means to whoever asked for it.
fn unanswered(what: &str, error: CallError) -> CliError {
    let temporary = matches!(error, CallError::Unreachable { .. } | CallError::Answer(_));
    let code = error.code().to_owned();
    refused(what, &code, error.into(), temporary)
}

pub(crate) async fn caller(config: &SdkConfig) -> Result<Caller> {
    let identity = aws_sdk_sts::Client::new(config)
        .get_caller_identity()
        .send()
        .await
        .map_err(|e| failed("ask AWS who is calling", e))?;
    let arn = identity.arn.unwrap_or_default();
    let partition = arn.split(':').nth(1).filter(|p| !p.is_empty());
    Ok(Caller {
        partition: partition.unwrap_or("aws").to_owned(),
        account: identity.account.unwrap_or_default(),
        arn,
    })
}

/// What a service refused, and what to do about it.
fn failed<E, R>(what: &str, error: SdkError<E, R>) -> CliError
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    let temporary = matches!(
        error,
        SdkError::TimeoutError(_) | SdkError::DispatchFailure(_) | SdkError::ResponseError(_)
    );
    let code = error.code().unwrap_or_default().to_owned();
    let text = match error.message() {
        Some(message) => format!("{message} ({code})"),
        None if code.is_empty() => chain(&error),
        None => code.clone(),
    };
    let source = Box::new(error);
    refused(what, &code, Answer { text, source }.into(), temporary)
}

/// What a service said, or why it said nothing: in a line, where the error of the client has several or none that tells.
#[derive(Debug, thiserror::Error)]
#[error("{text}")]
struct Answer {
    text: String,
    source: Cause,
}

pub(super) fn refused(what: &str, code: &str, source: Cause, temporary: bool) -> CliError {
    let said = source.to_string().to_lowercase();
    let no_credentials = code.is_empty() && said.contains("credential");
    let remedy = match code {
        _ if no_credentials => {
            "log in (aws sso login), name a profile in AWS_PROFILE, or give the pipeline a role"
        }
        "ExpiredToken" | "ExpiredTokenException" | "RequestExpired" => {
            "the credentials have expired: log in again (aws sso login)"
        }
        "UnrecognizedClientException" | "InvalidClientTokenId" | "SignatureDoesNotMatch" => {
            "AWS does not know these credentials: check AWS_PROFILE and AWS_ACCESS_KEY_ID"
        }
        "AccessDenied" | "AccessDeniedException" => {
            "attach the stack's runner policy (terraform output runner_policy_arns) to the caller"
        }
        "StateMachineDoesNotExist" => {
            "check --stack and --region, or write .floodgate/cloud.json with terraform output -json"
        }
        "InvalidArn" => "FLOODGATE_STATE_MACHINE must be the ARN of a state machine",
        "ExecutionAlreadyExists" => {
            "an id starts one run only, leave --id out to get a new one; floodgate attach shows the one that has it"
        }
        _ if code.is_empty() => "check the network, the region and AWS_ENDPOINT_URL",
        _ => "",
    };
    let throttled = code.contains("Throttl") || code == "TooManyRequestsException";
    CliError::Cloud {
        what: what.to_owned(),
        source,
        remedy: remedy.to_owned(),
        temporary: (temporary || throttled) && !no_credentials,
        code: match code {
            "StateMachineDoesNotExist" | "InvalidArn" | "ExecutionAlreadyExists" => EXIT_INVALID,
            _ => Status::Errored.exit_code(),
        },
    }
}

/// An error with its sources: the outermost alone says "dispatch failure".
fn chain(error: &dyn Error) -> String {
    let mut texts = Vec::new();
    let mut next = error.source();
    while let Some(error) = next {
        let text = error.to_string();
        if texts.last() != Some(&text) {
            texts.push(text);
        }
        next = error.source();
    }
    if texts.is_empty() {
        error.to_string()
    } else {
        texts.join(": ")
    }
}
