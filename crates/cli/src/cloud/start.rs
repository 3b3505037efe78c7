//! A run's start: its definition goes into the bucket, and the state machine is told.

use super::machine::Machine;
use crate::env::Environment;
use crate::error::Result;
use floodgate_control::{ControlError, DEFINITION_FILE, Stores, TestPackage};
use floodgate_core::execution::record::{TestRecord, Trigger};
use floodgate_core::keys::definition_file;
use floodgate_store::StoreError;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// What is started.
pub(crate) struct Start<'a> {
    /// The execution's id, which becomes the name of the state machine's.
    pub(crate) id: &'a str,
    /// The test, its overrides applied.
    pub(crate) test: &'a TestPackage<'a>,
    /// What its references stand for.
    pub(crate) env: &'a Environment,
    /// Who starts it.
    pub(crate) trigger: Trigger,
    /// Unix ms.
    pub(crate) now_ms: i64,
}

/// Uploads the test and starts a run of exactly this version.
///
/// # Errors
/// What the stores or the state machine refuse.
pub(crate) async fn start<M: Machine>(
    run: &Start<'_>,
    stores: &Stores,
    machine: &M,
) -> Result<String> {
    upload(run, stores).await.map_err(ControlError::from)?;
    machine.start(run.id, &input(run).to_string()).await
}

async fn upload(run: &Start<'_>, stores: &Stores) -> std::result::Result<(), StoreError> {
    let test = run.test;
    let (project, name) = (&test.definition.project, &test.definition.test);
    let files = test
        .files
        .iter()
        .map(|(file, bytes)| (file.as_str(), bytes));
    // The definition comes last: whoever finds it finds the files that it names.
    for (file, bytes) in files.chain([(DEFINITION_FILE, &test.normalised)]) {
        let key = definition_file(project, name, &test.version, file);
        // A version's files are named by their content: one that is there already is the same.
        match stores.objects.put_new(&key, bytes.clone()).await {
            Ok(()) | Err(StoreError::Exists { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    // Schedules run the newest version: a trial with --set is not to become that.
    if !test.parameters.is_empty() {
        return Ok(());
    }
    let names = test.files.iter().map(|(file, _)| file.clone());
    let record = TestRecord {
        project: project.clone(),
        test: name.clone(),
        version: test.version.clone(),
        created_ms: run.now_ms,
        files: std::iter::once(DEFINITION_FILE.to_owned())
            .chain(names)
            .collect(),
        git_revision: run.trigger.commit.clone(),
    };
    stores.records.put_test(&record).await
}

/// The input of the state machine. Overrides stand in the stored definition already.
pub(super) fn input(run: &Start<'_>) -> Value {
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
        "env": env,
        "trigger": run.trigger,
        "id": run.id,
    })
}

/// The variables that a definition names as `${env:NAME}` or `${env:NAME:-DEFAULT}`: no other leaves this machine.
pub(super) fn env_names(normalised: &[u8]) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    if let Ok(value) = serde_json::from_slice::<Value>(normalised) {
        collect(&value, &mut names);
    }
    names
}

fn collect(value: &Value, names: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => of_text(text, names),
        Value::Array(values) => values.iter().for_each(|v| collect(v, names)),
        Value::Object(entries) => entries.values().for_each(|v| collect(v, names)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn of_text(text: &str, names: &mut BTreeSet<String>) {
    const OPEN: &str = "${env:";
    let mut from = 0;
    while let Some(found) = text[from..].find(OPEN) {
        let at = from + found;
        from = at + OPEN.len();
        // `$${` is a literal `${`.
        if text[..at].ends_with('$') {
            continue;
        }
        let rest = &text[from..];
        let inside = &rest[..rest.find('}').unwrap_or(rest.len())];
        let name = inside.split_once(":-").map_or(inside, |(name, _)| name);
        names.insert(name.trim().to_owned());
    }
}
