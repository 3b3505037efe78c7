//! Reap: what must not go on is stopped, and what was measured is saved.
//!
//! It is called in three ways: by the state machine when a state fails; by the recovery of a run whose state machine is gone;
//! and by EventBridge, which tells that a state machine's execution is over. The last starts the recovery, if there is
//! anything to recover.

use crate::account::{Described, Refused, StartOutcome};
use crate::app::App;
use crate::clock::between;
use crate::error::{FunctionError, Result, bounded};
use crate::id::{execution_id, name_of, parse_time};
use crate::notify;
use crate::prepare::{RefusalDraft, write_down};
use crate::run::Run;
use crate::stack_config::StackConfig;
use crate::supervisor::{Supervisor, load_run};
use crate::tenant::{Tenant, machine_of};
use floodgate_control::watch::Phase;
use floodgate_control::{GivenUp, give_up, plain_cause};
use floodgate_core::cost::Watched;
use floodgate_notify::Moment;
use floodgate_records::control::{Stop, StopReason};
use floodgate_records::execution::Execution;
use floodgate_records::status::ERROR_INVALID;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;

/// Names of the executions that recover a run.
const RECOVERY: &str = "reap-";
/// Bytes of an error's text in the state at most.
const MAX_ERROR: usize = 1_000;
/// Records that are looked through for a run whose id cannot be told from its execution.
const NEWEST: usize = 50;
/// Between two looks at the tasks.
const POLL: Duration = Duration::from_millis(500);

/// What is to be reaped.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Reap {
    /// A run of which a state failed, or that is being reaped already.
    Run {
        run: Run,
        #[serde(default)]
        error: Option<Caught>,
    },
    /// A run whose state machine is gone; `project` is a constant of the one that recovers it.
    Recover {
        recover: Recover,
        #[serde(default)]
        project: String,
    },
    /// EventBridge: an execution has ended.
    Event { detail: Detail },
}

/// An error that a state caught.
#[derive(Debug, Deserialize)]
pub(crate) struct Caught {
    #[serde(rename = "Error")]
    error: Option<String>,
    #[serde(rename = "Cause")]
    cause: Option<String>,
}

/// The run to recover.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Recover {
    run_arn: String,
    status: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    project: Option<String>,
    /// What was reported of the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// `detail` of a Step Functions Execution Status Change.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Detail {
    execution_arn: String,
    #[serde(default)]
    name: Option<String>,
    status: String,
    /// Unix ms, or a text.
    #[serde(default)]
    start_date: Option<Value>,
    #[serde(default)]
    input: Option<String>,
    #[serde(default)]
    error: Option<String>,
    #[serde(default)]
    cause: Option<String>,
}

/// What is answered to whom.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Reaped {
    /// To the state machine.
    Run(Run),
    /// To EventBridge, which does not listen.
    Event { done: &'static str },
}

/// Reaps.
pub(crate) async fn handle(app: &App, input: Reap) -> Result<Reaped> {
    match input {
        Reap::Run { run, error } => {
            let app = &app.of(&run.execution);
            let (project, id, before) = (run.project.clone(), run.execution.clone(), run.watched());
            let error = error.map(|e| text(e.error, e.cause)).or(run.error);
            let order = error.as_ref().map(|e| (StopReason::Error, e.clone()));
            // boxed: its future is large
            Box::pin(reap(app, &project, &id, order, before, error))
                .await
                .map(Reaped::Run)
        }
        Reap::Recover { recover, project } => {
            let tenant = Tenant::of(&project);
            Box::pin(recovery(app, recover, &tenant))
                .await
                .map(Reaped::Run)
        }
        Reap::Event { detail } => event(app, detail).await,
    }
}

/// An error and its cause as one sentence.
fn text(error: Option<String>, cause: Option<String>) -> String {
    let parts = [error, cause.map(|cause| plain_cause(&cause))];
    let parts: Vec<String> = parts
        .into_iter()
        .flatten()
        .filter(|p| !p.is_empty())
        .collect();
    bounded(parts.join(": "), MAX_ERROR)
}

/// Why a run has to stop whose state machine ended like this. `None`: the order that stands is enough, or none is needed.
fn order_of(status: &str, error: Option<&str>) -> (StopReason, String) {
    match status {
        "ABORTED" => (StopReason::Person, "StopExecution".into()),
        "TIMED_OUT" => (
            StopReason::Deadline,
            "the time-out of the state machine".into(),
        ),
        _ => {
            let why = error.unwrap_or("no reason was given");
            let text = format!("the state machine failed: {why}");
            (StopReason::Error, text)
        }
    }
}

async fn recovery(app: &App, recover: Recover, tenant: &Tenant) -> Result<Run> {
    let Some(execution) = found(app, &recover).await? else {
        return Err(FunctionError::errored(format!(
            "there is no run of {}; it ended before it had a record",
            recover.run_arn
        )));
    };
    let placement = StackConfig::load(app.stores.objects.as_ref()).await?;
    tenant
        .check(&placement, &execution.project)
        .map_err(FunctionError::errored)?;
    let app = &app.of(&execution.id);
    let order = order_of(&recover.status, recover.error.as_deref());
    let error = (order.0 == StopReason::Error).then(|| order.1.clone());
    Box::pin(reap(
        app,
        &execution.project,
        &execution.id,
        Some(order),
        Watched::default(),
        error,
    ))
    .await
}

/// The run of a state machine's execution: by its id, else among the newest ones by the execution itself.
async fn found(app: &App, recover: &Recover) -> Result<Option<Execution>> {
    let own = |e: &Execution| e.run_arn.as_deref() == Some(recover.run_arn.as_str());
    let records = &app.stores.records;
    if let Some(id) = &recover.id {
        let found = records.get(recover.project.as_deref(), id).await?;
        if let Some(execution) = found.filter(|e| e.id == *id && own(e)) {
            return Ok(Some(execution));
        }
    }
    let newest = records.list(None, None, NEWEST).await?;
    Ok(newest.runs.into_iter().find(own))
}

/// Orders the stop, waits for the tasks as long as this invocation lasts, and in the end stops what still runs.
async fn reap(
    app: &App,
    project: &str,
    id: &str,
    order: Option<(StopReason, String)>,
    before: Watched,
    error: Option<String>,
) -> Result<Run> {
    let began_ms = app.clock.now_ms();
    let mut at = match Supervisor::load(app, project, id, before).await {
        Ok(at) => at,
        Err(FunctionError::Errored(problem)) => {
            return without_plan(app, project, id, &problem.to_string(), error).await;
        }
        Err(error) => return Err(error),
    };
    if let (Some((reason, by)), true) = (order, at.phase() != Phase::Ended) {
        at.stop(reason, &by).await?;
    }
    loop {
        at.step().await?;
        let stayed = between(began_ms, app.clock.now_ms());
        if at.phase() == Phase::Ended || stayed + POLL > app.stay {
            break;
        }
        app.clock.sleep(POLL).await;
    }
    if at.phase() == Phase::Ended {
        let orphans = stop_all(app, id).await?;
        app.metrics(project)
            .count("OrphanedTasksStopped", orphans)
            .count("TasksLost", at.lost())
            .emit();
    }
    let turn = u32::try_from(before.turns).unwrap_or(u32::MAX);
    Ok(at.run(turn, Duration::ZERO, error))
}

/// A run that never got a plan, or whose plan or definition cannot be read: there is nothing to wait for or to merge.
async fn without_plan(
    app: &App,
    project: &str,
    id: &str,
    problem: &str,
    error: Option<String>,
) -> Result<Run> {
    stop_all(app, id).await?;
    let why = match error {
        Some(error) => format!("{error}; {problem}"),
        None => problem.to_owned(),
    };
    let given_up = GivenUp::for_good(&why);
    give_up(&app.stores, project, id, given_up, app.clock.now_ms()).await?;
    notify::later(app, project, id, Moment::Ended).await;
    Err(FunctionError::errored(why))
}

/// Stops every task that ECS still lists for a run, in every region of the stack; returns how many.
async fn stop_all(app: &App, id: &str) -> Result<u32> {
    let placement = StackConfig::load(app.stores.objects.as_ref()).await?;
    let mut stopped = BTreeSet::new();
    for (region, place) in &placement.regions {
        for arn in app.tasks.started_by(region, &place.cluster, id).await? {
            let why = format!("run {id} has ended");
            app.tasks.stop(region, &place.cluster, &arn, &why).await?;
            stopped.insert(arn);
        }
    }
    if !stopped.is_empty() {
        let tasks: Vec<_> = stopped.iter().map(String::as_str).collect();
        tracing::warn!(tasks = tasks.join(" "), "tasks stopped");
    }
    Ok(stopped.len() as u32)
}

/// A run that ended before it had a record: its input was invalid, prepare was stopped or did not answer, or could not write.
/// It gets its record now.
async fn unrecorded(app: &App, known: Option<RefusalDraft>, recover: &Recover) -> Result<Reaped> {
    let none = Reaped::Event {
        done: "it had no record",
    };
    let (Some(known), Some(id)) = (known, &recover.id) else {
        return Ok(none);
    };
    let app = &app.of(id);
    let (reason, by) = order_of(&recover.status, recover.error.as_deref());
    let (known, error) = match reason {
        StopReason::Person => {
            let why = format!("stopped by {by} before it had a plan");
            let at_ms = app.clock.now_ms();
            let stop = Stop { reason, by, at_ms };
            (known.stopped_by(Some(stop)), FunctionError::errored(why))
        }
        _ => (known, failure(recover, by)),
    };
    let written = write_down(app, known, &error).await?;
    Ok(match written {
        Some(_) => Reaped::Event {
            done: "it had no record; now it has",
        },
        None => none,
    })
}

/// What the state machine failed with.
fn failure(recover: &Recover, otherwise: String) -> FunctionError {
    let said = recover.error.clone().unwrap_or(otherwise);
    match said.split_once(": ") {
        Some((ERROR_INVALID, faults)) => FunctionError::invalid(faults.to_owned()),
        Some(("Floodgate.Errored", why)) => FunctionError::errored(why.to_owned()),
        _ => FunctionError::errored(said),
    }
}

/// What an execution was started with and ended with. Events carry neither where they are made by the Terraform module: what cannot be
/// delivered lies in a queue, which is not a place for values of an environment.
async fn described(
    app: &App,
    run_arn: &str,
    input: Option<String>,
    error: Option<String>,
    cause: Option<String>,
) -> Result<Described> {
    if input.is_some() {
        return Ok(Described {
            input,
            error,
            cause,
        });
    }
    match app.account.execution(run_arn).await {
        Ok(found) => Ok(found),
        Err(Refused::Missing(_)) => Ok(Described::default()),
        Err(Refused::Unknown(why)) => Err(FunctionError::placement(format!(
            "{run_arn} could not be looked at: {why}"
        ))),
    }
}

/// The input of an execution, as far as it is one; of a schedule's name, what it stands for.
fn meant(placement: &StackConfig, input: Option<&str>) -> Value {
    let input: Value = input
        .and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or_default();
    let scheduled = input["schedule"].as_str();
    match scheduled.and_then(|name| placement.schedules.get(name)) {
        Some(run) => json!({"project": run.project, "test": run.test, "version": run.version,
            "id": input["id"], "trigger": {"kind": "schedule"}}),
        None => input,
    }
}

/// EventBridge tells of every end that is not a success, and of ours among them.
async fn event(app: &App, detail: Detail) -> Result<Reaped> {
    let run_arn = detail.execution_arn;
    let name = detail.name.unwrap_or_else(|| name_of(&run_arn).to_owned());
    if name.starts_with(RECOVERY) {
        return Ok(Reaped::Event {
            done: "a recovery is not recovered",
        });
    }
    let started_ms = match &detail.start_date {
        Some(Value::String(text)) => parse_time(text),
        Some(number) => number.as_f64().map(|ms| ms as i64),
        None => None,
    };
    let base = app.config.state_machine.as_deref().unwrap_or_default();
    let Some(tenant) = Tenant::of_execution(base, &run_arn) else {
        return Err(FunctionError::errored(format!(
            "{run_arn} is not an execution of this stack's state machines"
        )));
    };
    let described = described(app, &run_arn, detail.input, detail.error, detail.cause).await?;
    let placement = StackConfig::load(app.stores.objects.as_ref()).await?;
    let input = meant(&placement, described.input.as_deref());
    let asked = input.get("id").and_then(Value::as_str);
    let id = execution_id(asked, &run_arn, &name, started_ms.unwrap_or(0)).ok();
    let known = |id: &String| {
        let asked_ms = started_ms.unwrap_or_else(|| app.clock.now_ms());
        let mut known = RefusalDraft::of_any_input(id, &input, &run_arn, asked_ms);
        known.bind(&tenant, &placement);
        known
    };
    let known = id.as_ref().map(known);
    let project = tenant
        .project()
        .or(input.get("project").and_then(Value::as_str));
    let machine = machine_of(&run_arn);
    let recover = Recover {
        run_arn,
        status: detail.status.clone(),
        id,
        project: project.map(str::to_owned),
        error: Some(text(described.error, described.cause)).filter(|t| !t.is_empty()),
    };
    let Some(execution) = found(app, &recover).await? else {
        return unrecorded(app, known, &recover).await;
    };
    let id = execution.id.clone();
    let app = &app.of(&id);
    let recover = Recover {
        id: Some(id.clone()),
        project: Some(execution.project.clone()),
        ..recover
    };
    if execution.status.is_final() {
        let orphans = stop_all(app, &id).await?;
        app.metrics(&execution.project)
            .count("OrphanedTasksStopped", orphans)
            .emit();
        return Ok(Reaped::Event {
            done: "it had ended; what was left is stopped",
        });
    }
    // Tasks are told at once; the recovery takes its time.
    if let Ok(loaded) = load_run(app, &execution.project, &id).await {
        let keys = floodgate_records::keys::ExecutionKeys::new(&execution.project, &id);
        let (reason, by) = order_of(&recover.status, recover.error.as_deref());
        let stop = Stop {
            reason,
            by,
            at_ms: app.clock.now_ms(),
        };
        floodgate_control::order_stop(app.stores.objects.as_ref(), &keys, &stop).await?;
        tracing::warn!(
            status = detail.status,
            tasks = loaded.plan.tasks.len(),
            "recovery ordered"
        );
    }
    let input = json!({ "recover": recover }).to_string();
    let name = format!("{RECOVERY}{id}");
    match app.account.start(&machine, &name, &input).await {
        Ok(StartOutcome::Now) => Ok(Reaped::Event {
            done: "its recovery was started",
        }),
        Ok(StartOutcome::Before) => Ok(Reaped::Event {
            done: "its recovery was started before",
        }),
        Err(error) => Err(FunctionError::placement(format!(
            "the recovery could not be started: {error}"
        ))),
    }
}
