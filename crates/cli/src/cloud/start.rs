//! A run's start: its definition goes into the bucket, and the state machine is told.

use super::machine::{Machine, Stand, exit_code};
use crate::env::Environment;
use crate::error::{CliError, Result};
use floodgate_control::{Stores, TestPackage};
use floodgate_core::definition::References;
use floodgate_records::estimate::Estimate;
use floodgate_records::execution::Trigger;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// What is started.
pub(crate) struct StartRequest<'a> {
    /// The execution's id, which becomes the name of the state machine's.
    pub(crate) id: &'a str,
    /// The test, its overrides applied.
    pub(crate) test: &'a TestPackage<'a>,
    /// What its references stand for.
    pub(crate) env: &'a Environment,
    /// Who starts it.
    pub(crate) trigger: Trigger,
}

/// What of the version that is uploaded is made known, and to whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dry {
    /// Only what a run of it would cost.
    Estimated,
    /// It becomes the newest of its test, which schedules run.
    Registered,
}

/// Uploads the test and asks what a run of exactly this version would take and cost; none is started.
///
/// # Errors
/// What the stores or the state machine refuse; a state machine that has not answered after [`PATIENCE`] looks.
pub(crate) async fn estimate<M: Machine>(
    run: &StartRequest<'_>,
    dry: Dry,
    stores: &Stores,
    machine: &M,
    pace: Duration,
) -> Result<Estimate> {
    run.test.upload(stores.objects.as_ref()).await?;
    let mut input = input(run);
    input["dry_run"] = true.into();
    input["register"] = (dry == Dry::Registered).into();
    machine.start(run.id, &input.to_string()).await?;
    for _ in 0..PATIENCE {
        match machine.look(run.id).await? {
            Some(Stand::Running) | None => tokio::time::sleep(pace).await,
            Some(Stand::Succeeded(output)) => return answer(&output),
            Some(Stand::Failed { error, cause }) => return Err(no_estimate(&error, &cause)),
        }
    }
    Err(no_estimate("it takes too long", "start it again"))
}

/// Looks at a state machine that makes an estimate: it takes a second, and up to five minutes of retries if a service is away.
const PATIENCE: u32 = 240;

fn answer(output: &str) -> Result<Estimate> {
    let estimate: Estimate = serde_json::from_str(output).map_err(|_| {
        no_estimate(
            "the stack's functions do not know dry runs",
            "deploy this version with floodgate deploy",
        )
    })?;
    match estimate.refused {
        Some(refused) => Err(no_estimate(&refused.error, &refused.reason)),
        None => Ok(estimate),
    }
}

fn no_estimate(error: &str, cause: &str) -> CliError {
    CliError::Cloud {
        what: "the run would be refused".into(),
        source: format!("{cause} ({error})").into(),
        remedy: String::new(),
        temporary: false,
        code: exit_code(error),
    }
}

/// Uploads the test and starts a run of exactly this version.
///
/// # Errors
/// What the stores or the state machine refuse.
pub(crate) async fn start<M: Machine>(
    run: &StartRequest<'_>,
    stores: &Stores,
    machine: &M,
) -> Result<String> {
    run.test.upload(stores.objects.as_ref()).await?;
    machine.start(run.id, &input(run).to_string()).await
}

/// The input of the state machine. Overrides stand in the stored definition already.
pub(super) fn input(run: &StartRequest<'_>) -> Value {
    let definition = run.test.definition;
    let names = env_names(&run.test.normalised);
    let env: BTreeMap<_, _> = names
        .into_iter()
        .filter_map(|name| run.env.variable(&name).map(|value| (name, value)))
        .collect();
    json!({
        "project": definition.project,
        "test": definition.test,
        "version": run.test.version,
        // Schedules run the newest version that is registered: a trial with --set is not to become that.
        "register": run.test.parameters.is_empty(),
        "env": env,
        "trigger": run.trigger,
        "id": run.id,
    })
}

/// The variables that a definition names: no other leaves this machine.
pub(super) fn env_names(normalised: &[u8]) -> BTreeSet<String> {
    serde_json::from_slice(normalised)
        .map(|definition| References::of(&definition).env)
        .unwrap_or_default()
}
