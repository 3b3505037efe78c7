//! A run's start: its definition goes into the bucket, and the state machine is told.

use super::machine::Machine;
use crate::env::Environment;
use crate::error::Result;
use floodgate_control::{Stores, TestPackage};
use floodgate_core::definition::References;
use floodgate_records::execution::Trigger;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

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
