//! Where a run's results go: to the stack's sinks and the definition's, each once.

use crate::account::Account;
use crate::app::App;
use crate::resolve;
use crate::secrets::Known;
use crate::stack_config::{StackConfig, StackExport};
use floodgate_control::load::load_stored;
use floodgate_core::definition::model::{Definition, ExportSpec, exports_in_the_cloud};
use floodgate_export::{References, Target, TargetError, schemes};
use floodgate_records::keys::{DEFINITION_FILE, definition_file};
use floodgate_records::plan::Plan;
use floodgate_store::ObjectStore;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// What URLs refer to: what the run was started with, and no secret, which stands beside a URL.
struct Variables<'a>(&'a BTreeMap<String, String>);

impl References for Variables<'_> {
    fn env(&self, name: &str) -> Option<String> {
        self.0.get(name).cloned()
    }

    fn secret(&self, _: &str) -> Result<String, String> {
        Err("write it beside the URL, as password or token".to_owned())
    }
}

/// The URLs that runs of a definition are exported to, each once.
pub(crate) fn urls(placement: &StackConfig, definition: &Definition) -> Vec<String> {
    let stack = placement.exports_of(&definition.project).map(|e| &e.to);
    let own = definition.export.iter().map(|export| &export.to);
    let mut urls: Vec<String> = Vec::new();
    for url in stack.chain(own) {
        if !urls.contains(url) {
            urls.push(url.clone());
        }
    }
    urls
}

/// Those of them to which a run is exported while it goes on.
pub(crate) fn live_urls(placement: &StackConfig, definition: &Definition) -> Vec<String> {
    let stack = placement.exports_of(&definition.project);
    let own = definition.export.iter();
    let live: BTreeSet<&String> = (stack.filter(|e| e.live).map(|e| &e.to))
        .chain(own.filter(|e| e.live).map(|e| &e.to))
        .collect();
    live.into_iter().cloned().collect()
}

/// What is wrong with the exports of a definition, a sentence each: what a sink would refuse after the run is refused before it.
pub(crate) fn faults(
    placement: &StackConfig,
    definition: &Definition,
    env: &BTreeMap<String, String>,
) -> Vec<String> {
    let mut faults = exports_in_the_cloud(&definition.export);
    if !faults.is_empty() {
        return faults;
    }
    for (n, export) in definition.export.iter().enumerate() {
        let fault =
            match parsed(export, env).and_then(|target| schemes::check(&target).map(|()| target)) {
                Ok(target) => {
                    unwritable(placement, &target).or_else(|| unfollowed(export.live, &target))
                }
                Err(error) => Some(error.to_string()),
            };
        faults.extend(fault.map(|fault| format!("export[{n}]: {fault}")));
    }
    faults
}

fn parsed(export: &ExportSpec, env: &BTreeMap<String, String>) -> Result<Target, TargetError> {
    schemes::parse(&export.to, &Variables(env))?
        .with_credentials(export.password.as_deref(), export.token.as_deref())
}

/// Why a run is not exported there while it goes on.
fn unfollowed(live: bool, target: &Target) -> Option<String> {
    (live && !target.scheme.again_is_the_same).then(|| {
        format!(
            "{target}: live: this sink adds up whatever comes, and what a function that is cut off sends again would count twice; leave live out"
        )
    })
}

/// Why the stack does not write there.
fn unwritable(placement: &StackConfig, target: &Target) -> Option<String> {
    let namespace = target.path.trim_matches('/');
    let known = &placement.cloudwatch_namespaces;
    let is_refused = target.scheme.names == ["cloudwatch"] && !known.iter().any(|n| n == namespace);
    is_refused.then(|| {
        let known = match known.is_empty() {
            true => "none".to_owned(),
            false => known.join(", "),
        };
        format!(
            "{target}: this stack does not write to the namespace {namespace:?} (to {known}); add it to cloudwatch_namespaces of the Terraform module"
        )
    })
}

/// The sink of a run that has this URL, with what proves who writes. A sink of the stack's own is that, also where a definition names it.
///
/// # Errors
/// Why there is none: a sentence.
pub(super) async fn target(
    app: &App,
    placement: &StackConfig,
    plan: &Plan,
    to: &str,
) -> Result<Target, String> {
    let mut of_stack = placement.exports_of(&plan.project);
    let found = match of_stack.find(|export| export.to == to) {
        Some(export) => (of_the_stack(app, export).await?, BTreeMap::new()),
        None => (
            of_the_definition(app, placement, plan, to).await?,
            plan.env.clone(),
        ),
    };
    let (export, env) = found;
    let target = parsed(&export, &env).map_err(|error| error.problem)?;
    match unwritable(placement, &target) {
        Some(why) => Err(why),
        None => Ok(target),
    }
}

async fn of_the_stack(app: &App, export: &StackExport) -> Result<ExportSpec, String> {
    Ok(ExportSpec {
        to: export.to.clone(),
        password: read(app.account.as_ref(), export.password_secret_arn.as_deref()).await?,
        token: read(app.account.as_ref(), export.token_secret_arn.as_deref()).await?,
        live: export.live,
    })
}

async fn read(account: &dyn Account, arn: Option<&str>) -> Result<Option<String>, String> {
    let Some(arn) = arn else {
        return Ok(None);
    };
    match account.read_secret(arn).await {
        Ok(secret) => Ok(Some(secret.text)),
        Err(error) => Err(format!("the secret {arn} cannot be read: {error}")),
    }
}

/// Only the secrets that the sink itself refers to are read: one that is missing is no other sink's fault.
async fn of_the_definition(
    app: &App,
    placement: &StackConfig,
    plan: &Plan,
    to: &str,
) -> Result<ExportSpec, String> {
    let objects = app.stores.objects.as_ref();
    let definition = resolve::stored(objects, plan).await;
    let exports = definition.map_err(|error| error.to_string())?.export;
    let gone = || "neither the definition nor the stack exports to it any more".to_owned();
    let n = exports.iter().position(|e| e.to == to).ok_or_else(gone)?;
    let part = written(objects, plan, n).await?;
    let account = app.account.as_ref();
    let known = Known::of_part(account, placement, &plan.project, &plan.env, &part).await;
    let missing = known.missing().next();
    if let Some((name, why)) = missing {
        return Err(format!("the secret {name:?} cannot be read: {why}"));
    }
    let definition = load_stored(objects, plan, &known).await;
    let mut exports = definition
        .map_err(|error| error.to_string())?
        .export
        .into_iter();
    exports.nth(n).filter(|e| e.to == to).ok_or_else(gone)
}

/// An export as the definition has it, with the parameters if it refers to any.
async fn written(objects: &dyn ObjectStore, plan: &Plan, n: usize) -> Result<Value, String> {
    let key = definition_file(&plan.project, &plan.test, &plan.version, DEFINITION_FILE);
    let text = objects.get(&key).await.map_err(|e| e.to_string())?;
    let text = text.ok_or_else(|| format!("{key}: not found"))?;
    let whole: Value = serde_json::from_slice(&text).map_err(|e| format!("{key}: {e}"))?;
    let export = &whole["export"][n];
    let refers = export.to_string().contains("${param:");
    Ok(json!([export, refers.then(|| &whole["parameters"])]))
}
