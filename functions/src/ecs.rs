//! Tasks on ECS.

use crate::error::Cause;
use crate::stack_config::SPOT;
use crate::tasks::{RunCapacity, RunError, RunRequest, StartedTask, TaskStatus, Tasks, Vcpus};
use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_ecs::Client;
use aws_sdk_ecs::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_ecs::types::{
    AssignPublicIp, AwsVpcConfiguration, CapacityProviderStrategyItem, ContainerOverride,
    KeyValuePair, LaunchType, NetworkConfiguration, PropagateTags, Tag, Task, TaskOverride,
    TaskStopCode,
};
use floodgate_store::aws::Chained;
use std::collections::BTreeMap;
use std::sync::Mutex;

/// The container of every task definition.
const CONTAINER: &str = "generator";
/// The variable with a task's number.
const TASK_VARIABLE: &str = "FLOODGATE_TASK";
/// Tasks of a DescribeTasks call at most
/// (<https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeTasks.html>).
const DESCRIBED_AT_ONCE: usize = 100;

/// ECS in any region.
pub struct EcsTasks {
    config: SdkConfig,
    clients: Mutex<BTreeMap<String, Client>>,
}

impl EcsTasks {
    /// With the credentials and the HTTP client of a configuration.
    pub fn new(config: &SdkConfig) -> Self {
        Self {
            config: config.clone(),
            clients: Mutex::default(),
        }
    }

    fn client(&self, region: &str) -> Client {
        let make = || {
            let config = aws_sdk_ecs::config::Builder::from(&self.config)
                .region(aws_sdk_ecs::config::Region::new(region.to_owned()));
            Client::from_conf(config.build())
        };
        match self.clients.lock() {
            Ok(mut clients) => clients
                .entry(region.to_owned())
                .or_insert_with(make)
                .clone(),
            Err(_) => make(),
        }
    }
}

#[async_trait]
impl Tasks for EcsTasks {
    async fn run(&self, request: &RunRequest) -> Result<StartedTask, RunError> {
        let environment = request
            .environment
            .iter()
            .map(|(name, value)| KeyValuePair::builder().name(name).value(value).build());
        // All of the task's memory: the container sees a limit of its own then, and the task definition's is another task's.
        let memory = i32::try_from(request.memory).map_err(|_| {
            RunError::Refused(format!("{} MiB of memory are too many", request.memory).into())
        })?;
        let container = ContainerOverride::builder()
            .name(CONTAINER)
            .memory(memory)
            .set_environment(Some(environment.collect()))
            .build();
        let overrides = TaskOverride::builder()
            .cpu(request.cpu.to_string())
            .memory(request.memory.to_string())
            .container_overrides(container)
            .set_task_role_arn(request.task_role.clone())
            .build();
        let tags = request
            .tags
            .iter()
            .map(|(key, value)| Tag::builder().key(key).value(value).build());
        let call = self
            .client(&request.region)
            .run_task()
            .cluster(&request.cluster)
            .task_definition(&request.task_definition)
            .count(1)
            .started_by(&request.started_by)
            .client_token(&request.client_token)
            .propagate_tags(PropagateTags::TaskDefinition)
            .set_tags(Some(tags.collect()))
            .overrides(overrides)
            .set_network_configuration(network(request)?);
        let call = match &request.capacity {
            RunCapacity::LaunchType(name) => call.launch_type(LaunchType::from(name.as_str())),
            RunCapacity::Provider(name) => {
                let item = CapacityProviderStrategyItem::builder()
                    .capacity_provider(name)
                    .weight(1)
                    .build()
                    .map_err(|e| RunError::Refused(e.into()))?;
                call.capacity_provider_strategy(item)
            }
        };
        let answer = call.send().await.map_err(failed)?;
        if let Some(arn) = answer.tasks().first().and_then(Task::task_arn) {
            return Ok(StartedTask {
                arn: arn.to_owned(),
            });
        }
        let failure = answer.failures().first();
        let text = |f: Option<&str>| f.unwrap_or_default().to_owned();
        let reason = text(failure.and_then(|f| f.reason()));
        let detail = text(failure.and_then(|f| f.detail()));
        Err(judge_failure(&reason, &detail))
    }

    async fn describe(
        &self,
        region: &str,
        cluster: &str,
        arns: &[String],
    ) -> Result<Vec<TaskStatus>, RunError> {
        let client = self.client(region);
        let mut all = Vec::with_capacity(arns.len());
        for some in arns.chunks(DESCRIBED_AT_ONCE) {
            let call = client.describe_tasks().cluster(cluster);
            let answer = call
                .set_tasks(Some(some.to_vec()))
                .send()
                .await
                .map_err(failed)?;
            all.extend(answer.tasks().iter().map(status));
            for failure in answer.failures() {
                if let (Some(arn), Some("MISSING")) = (failure.arn(), failure.reason()) {
                    all.push(TaskStatus {
                        arn: arn.to_owned(),
                        stopped: true,
                        reason: "is not known to ECS any more".into(),
                        ..TaskStatus::default()
                    });
                }
            }
        }
        Ok(all)
    }

    async fn started_by(
        &self,
        region: &str,
        cluster: &str,
        execution: &str,
    ) -> Result<Vec<String>, RunError> {
        let client = self.client(region);
        let call = client.list_tasks().cluster(cluster).started_by(execution);
        let mut pages = call.into_paginator().items().send();
        let mut arns = Vec::new();
        while let Some(arn) = pages.next().await {
            arns.push(arn.map_err(failed)?);
        }
        Ok(arns)
    }

    async fn in_use(&self, region: &str, cluster: &str) -> Result<Vcpus, RunError> {
        let client = self.client(region);
        // Without a desired status those are listed that are to run: pending ones among them
        // (<https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ListTasks.html>).
        let mut pages = client.list_tasks().cluster(cluster).into_paginator().send();
        let mut used = Vcpus::default();
        while let Some(page) = pages.next().await {
            let page = page.map_err(failed)?;
            if page.task_arns().is_empty() {
                continue;
            }
            let call = client.describe_tasks().cluster(cluster);
            let described = call.set_tasks(Some(page.task_arns().to_vec())).send().await;
            for task in described.map_err(failed)?.tasks() {
                let vcpus = vcpus(task);
                match capacity(task) {
                    SPOT => used.spot += vcpus,
                    _ => used.on_demand += vcpus,
                }
            }
        }
        Ok(used)
    }

    async fn stop(
        &self,
        region: &str,
        cluster: &str,
        arn: &str,
        reason: &str,
    ) -> Result<(), RunError> {
        let client = self.client(region);
        let call = client.stop_task().cluster(cluster).task(arn).reason(reason);
        match call.send().await {
            Ok(_) => Ok(()),
            // A task that ECS has forgotten has stopped long ago.
            Err(error) if error.code() == Some("InvalidParameterException") => Ok(()),
            Err(error) => Err(failed(error)),
        }
    }
}

fn network(request: &RunRequest) -> Result<Option<NetworkConfiguration>, RunError> {
    let Some(network) = &request.network else {
        return Ok(None);
    };
    let public = match network.assign_public_ip {
        true => AssignPublicIp::Enabled,
        false => AssignPublicIp::Disabled,
    };
    let vpc = AwsVpcConfiguration::builder()
        .set_subnets(Some(network.subnets.clone()))
        .set_security_groups(Some(network.security_groups.clone()))
        .assign_public_ip(public)
        .build()
        .map_err(|e| RunError::Refused(e.into()))?;
    let configuration = NetworkConfiguration::builder().awsvpc_configuration(vpc);
    Ok(Some(configuration.build()))
}

/// Whether Fargate has no room, or the account's quota has none: both pass, and other capacity may have some. Seen as failures
/// in answers and as errors (<https://repost.aws/knowledge-center/ecs-fargate-runtask-capacity>).
fn no_room(text: &str) -> bool {
    text.contains("Capacity is unavailable") || text.contains("limit on the number of vCPUs")
}

/// What a failure in an answer of RunTask means
/// (<https://docs.aws.amazon.com/AmazonECS/latest/developerguide/api_failures_messages.html>).
fn judge_failure(reason: &str, detail: &str) -> RunError {
    let text = match (reason, detail) {
        ("", "") => "ECS accepted no task and gave no reason".to_owned(),
        (reason, "") => reason.to_owned(),
        (reason, detail) => format!("{reason}: {detail}"),
    };
    let capacity = ["RESOURCE", "AGENT", "EMPTY CAPACITY PROVIDER"];
    if no_room(&text) || capacity.iter().any(|c| reason.starts_with(c)) {
        RunError::Capacity(text.into())
    } else {
        RunError::Refused(text.into())
    }
}

fn failed<E>(error: SdkError<E>) -> RunError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let code = error.code().unwrap_or_default().to_owned();
    let answered = matches!(error, SdkError::ServiceError(_));
    let cause: Cause = match error.message() {
        Some(message) => format!("{code}: {message}").into(),
        None => Chained(error).into(),
    };
    judge_error(&code, cause, answered)
}

/// What an error code of ECS means
/// (<https://docs.aws.amazon.com/AmazonECS/latest/APIReference/CommonErrors.html>).
fn judge_error(code: &str, cause: Cause, answered: bool) -> RunError {
    let message = cause.to_string();
    if code.contains("Throttl") || code == "RequestLimitExceeded" {
        return RunError::Throttled(cause);
    }
    if no_room(&message) {
        return RunError::Capacity(cause);
    }
    // Fargate's launch rate is reported as a client's fault.
    if message.contains("concurrent tasks") || message.contains("rate limit") {
        return RunError::Throttled(cause);
    }
    match code {
        "ServerException" | "ServiceUnavailable" | "InternalFailure" => RunError::Service(cause),
        _ if !answered => RunError::Service(cause),
        _ => RunError::Refused(cause),
    }
}

fn status(task: &Task) -> TaskStatus {
    let environment = task
        .overrides()
        .map(|o| o.container_overrides())
        .unwrap_or_default()
        .iter()
        .flat_map(|c| c.environment());
    let number = environment
        .filter(|v| v.name() == Some(TASK_VARIABLE))
        .find_map(|v| v.value()?.parse().ok());
    TaskStatus {
        arn: task.task_arn().unwrap_or_default().to_owned(),
        task: number,
        capacity: capacity(task).to_owned(),
        stopped: task.last_status() == Some("STOPPED"),
        reason: ending(task),
    }
}

fn capacity(task: &Task) -> &str {
    match task.capacity_provider_name() {
        Some(name) => name,
        None => task.launch_type().map_or("", |t| t.as_str()),
    }
}

/// The size of a task; ECS gives it in CPU units, of which a vCPU has 1,024.
fn vcpus(task: &Task) -> f64 {
    let own = task.overrides().and_then(|o| o.cpu());
    let units = own.or(task.cpu()).and_then(|cpu| cpu.parse::<f64>().ok());
    units.unwrap_or(0.0) / 1_024.0
}

/// How a task ended; goes on from "it".
fn ending(task: &Task) -> String {
    let container = task
        .containers()
        .iter()
        .find(|c| c.name() == Some(CONTAINER));
    let exit = container.and_then(|c| c.exit_code());
    let said = container.and_then(|c| c.reason()).unwrap_or_default();
    let stopped = task.stopped_reason().unwrap_or_default();
    if task.stop_code() == Some(&TaskStopCode::SpotInterruption) {
        return "was interrupted: Fargate Spot reclaimed the capacity".into();
    }
    if said.contains("OutOfMemory") || stopped.contains("OutOfMemory") {
        return "ran out of memory and was killed; raise run.memory".into();
    }
    let how = match exit {
        Some(137) => {
            "was killed (exit code 137: out of memory, or a stop that took too long)".into()
        }
        Some(code) => format!("exited with code {code}"),
        None => "stopped".to_owned(),
    };
    let why: Vec<&str> = [stopped, said]
        .into_iter()
        .filter(|t| !t.is_empty())
        .collect();
    if why.is_empty() {
        how
    } else {
        format!("{how}: {}", why.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_ecs::types::Container;

    #[test]
    fn what_may_pass_is_told_from_what_will_not() {
        let refused = |e| matches!(e, RunError::Refused(_));
        let capacity = |e| matches!(e, RunError::Capacity(_));
        assert!(capacity(judge_failure("RESOURCE:MEMORY", "")));
        assert!(capacity(judge_failure(
            "Capacity is unavailable at this time.",
            ""
        )));
        assert!(refused(judge_failure("MISSING", "no such cluster")));
        let error = |code: &str, message: &str| judge_error(code, message.into(), true);
        assert!(matches!(
            error("ThrottlingException", "Rate exceeded"),
            RunError::Throttled(_)
        ));
        assert!(capacity(error(
            "ClientException",
            "Capacity is unavailable at this time"
        )));
        assert!(matches!(
            error("ServerException", "x"),
            RunError::Service(_)
        ));
        assert!(refused(error("AccessDeniedException", "x")));
        assert!(matches!(
            judge_error("", "connection refused".into(), false),
            RunError::Service(_)
        ));
    }

    #[test]
    fn the_end_of_a_task_is_told_in_words() {
        let task = |exit: Option<i32>, said: &str, stopped: &str| {
            let container = Container::builder()
                .name(CONTAINER)
                .set_exit_code(exit)
                .reason(said)
                .build();
            let task = Task::builder()
                .containers(container)
                .stopped_reason(stopped);
            ending(&task.build())
        };
        assert_eq!(
            task(Some(97), "", "Essential container in task exited"),
            "exited with code 97: Essential container in task exited"
        );
        assert!(task(Some(137), "OutOfMemoryError: killed", "").contains("raise run.memory"));
        assert!(
            task(
                None,
                "CannotPullContainerError: no route",
                "Task failed to start"
            )
            .contains("CannotPullContainerError")
        );
        let spot = Task::builder()
            .stop_code(TaskStopCode::SpotInterruption)
            .build();
        assert!(ending(&spot).contains("Spot"));
    }
}
