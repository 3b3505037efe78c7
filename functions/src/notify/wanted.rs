//! What the definition of a run wants told, and to whom: read anew each time, since the outbox holds no secrets.

use crate::app::App;
use crate::error::Result;
use crate::secrets::Known;
use crate::stack_config::StackConfig;
use bytes::Bytes;
use floodgate_control::{ControlError, load_plan};
use floodgate_core::definition::{Overrides, Source, parse};
use floodgate_notify::Refusal;
use floodgate_records::execution::Execution;
use floodgate_records::keys::{DEFINITION_FILE, definition_file};
use floodgate_records::notify::{Channel, Notify};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What a definition wants told.
#[derive(Default)]
pub(super) struct Wanted {
    /// Its entries.
    pub(super) notify: Vec<Notify>,
    /// Why references in them stand for nothing.
    problem: String,
}

impl Wanted {
    /// Where an entry leads.
    pub(super) fn receiver(&self, target: usize) -> std::result::Result<&Channel, Refusal> {
        let again = |why: String| Refusal::Again { why, after: None };
        let Some(notify) = self.notify.get(target) else {
            return Err(again(format!("the definition has no notify[{target}]")));
        };
        if notify.channel.is_open() {
            let why = format!(
                "a reference in notify[{target}] stands for nothing: {}",
                self.problem
            );
            return Err(again(why));
        }
        Ok(&notify.channel)
    }
}

/// What the definition of a run wants told. Of a run that was refused before it had a plan, variables are not known any more.
pub(super) async fn wanted(app: &App, execution: &Execution) -> Result<Wanted> {
    let (version, env) = match load_plan(&app.stores, execution).await {
        Ok(plan) => (plan.version, plan.env),
        Err(ControlError::Missing { .. }) => (execution.version.clone(), BTreeMap::new()),
        Err(error) => return Err(error.into()),
    };
    let (project, test) = (&execution.project, &execution.test);
    if test.is_empty() || version.is_empty() {
        return Ok(Wanted::default());
    }
    let key = definition_file(project, test, &version, DEFINITION_FILE);
    let Some(text) = app.stores.objects.get(&key).await? else {
        tracing::info!(key, "the definition is not on record: nobody is notified");
        return Ok(Wanted::default());
    };
    read(app, project, &key, &text, &env).await
}

async fn read(
    app: &App,
    project: &str,
    key: &str,
    text: &Bytes,
    env: &BTreeMap<String, String>,
) -> Result<Wanted> {
    let tree: Value = serde_json::from_slice(text).unwrap_or_default();
    if tree["notify"].is_null() {
        return Ok(Wanted::default());
    }
    let placement = StackConfig::load(app.stores.objects.as_ref()).await?;
    // A parameter may be a secret, too.
    let part = json!([tree["notify"], tree["parameters"]]);
    let known = Known::of_part(app.account.as_ref(), &placement, project, env, &part).await;
    let source = Source { name: key, text };
    let missing = known.missing();
    let missing = missing.map(|(name, why)| format!("the secret {name:?} cannot be read: {why}"));
    let mut problem = missing.collect::<Vec<_>>().join("; ");
    let parsed = parse(&source, &Overrides::default(), &known);
    let parsed = parsed.or_else(|faults| {
        // A secret's value that is no URL must not hide the other receivers.
        problem = faults
            .0
            .first()
            .map(ToString::to_string)
            .unwrap_or_default();
        parse(&source, &Overrides::default(), &known.without_secrets())
    });
    match parsed {
        Ok(parsed) => Ok(Wanted {
            notify: parsed.definition.notify,
            problem,
        }),
        Err(faults) => {
            tracing::error!(key, %faults, "the definition cannot be read: nobody is notified");
            Ok(Wanted::default())
        }
    }
}
