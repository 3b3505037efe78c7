//! The test of a run: from the input itself or from the bucket, checked.

use super::input::Input;
use super::refusal::RefusalDraft;
use crate::account::Refused;
use crate::app::App;
use crate::error::{FunctionError, Result};
use crate::export;
use crate::resolve::{Surroundings, check_with};
use crate::stack_config::StackConfig;
use bytes::Bytes;
use floodgate_control::load::Loaded;
use floodgate_core::definition::model::observe_in_the_cloud;
use floodgate_core::definition::{Definition, LOCAL_ONLY, Source};
use floodgate_generator::preflight;
use floodgate_records::keys::{DEFINITION_FILE, definition_file};
use std::collections::{BTreeMap, BTreeSet};

/// The most that is looked into, in bytes: rows of data take a few times their size, and the function has 512 MiB.
const LOOKED_INTO: usize = 64 << 20;

/// A definition's text, and the files that belong to it.
struct Text {
    name: String,
    text: Bytes,
    /// Where its files lie; nowhere if it came with the input.
    folder: Option<String>,
    files: BTreeSet<String>,
}

/// Loads and checks the test. The second value is what could not be checked.
///
/// # Errors
/// All faults of the definition at once.
pub(super) async fn load(
    app: &App,
    input: &Input,
    placement: &StackConfig,
    known: &mut RefusalDraft,
) -> Result<(Loaded, Vec<String>)> {
    registrable(input)?;
    let text = match &input.definition {
        Some(serde_json::Value::String(text)) => inline(text.clone()),
        Some(definition) => inline(definition.to_string()),
        None => stored(app, input).await?,
    };
    known.of_text(&text.text);
    let source = Source {
        name: &text.name,
        text: &text.text,
    };
    let overrides = input.overrides();
    let mut missing = BTreeMap::new();
    let around = Surroundings {
        env: &input.env,
        files: &text.files,
        missing: &missing,
    };
    let (mut checked, secrets) = check_with(&source, &overrides, around);
    let resolved = secrets.is_empty();
    let mut doubts = Vec::new();
    let project = known.project().to_owned();
    for secret in secrets {
        match app.account.secret(&secret).await {
            Ok(arn) if placement.may_read(&project, &arn) => {}
            Ok(_) => {
                let why = format!(
                    "it is not a secret of project {project:?}; add it to secret_arns of the project in the Terraform module"
                );
                missing.insert(secret, why);
            }
            Err(Refused::Missing(why)) => {
                missing.insert(secret, format!("{why}; create it in Secrets Manager"));
            }
            Err(Refused::Unknown(why)) => doubts.push(format!(
                "whether the secret {secret:?} is there could not be checked: {why}"
            )),
        }
    }
    if !missing.is_empty() {
        let around = Surroundings {
            env: &input.env,
            files: &text.files,
            missing: &missing,
        };
        checked = check_with(&source, &overrides, around).0;
    }
    let checked = checked.map_err(|mut error| {
        if error.text.contains("${env:") {
            error.text.push_str(
                "\n\nwhat ${env:NAME} stands for is given in the execution's input: {\"env\": {\"NAME\": \"value\"}}",
            );
        }
        FunctionError::from(error)
    })?;
    let local = checked.parsed.local.iter();
    let unheeded = local.filter(|fault| fault.problem != LOCAL_ONLY);
    doubts.extend(unheeded.map(ToString::to_string));
    let definition = &checked.parsed.definition;
    if !definition.notify.is_empty() && app.config.notify.is_none() {
        doubts.push(
            "notify has no effect: this stack notifies nobody; set `notifications` in the Terraform module"
                .to_owned(),
        );
    }
    agree("project", input.project.as_deref(), &definition.project)?;
    agree("test", input.test.as_deref(), &definition.test)?;
    let mut files = BTreeMap::new();
    for file in &checked.parsed.files {
        let folder = text.folder.as_deref().unwrap_or_default();
        let key = format!("{folder}{file}");
        let bytes = app.stores.objects.get(&key).await?;
        let bytes = bytes.ok_or_else(|| FunctionError::errored(format!("{key}: not found")))?;
        files.insert(file.clone(), bytes);
    }
    let exports = export::faults(placement, definition, &input.env);
    doubts.extend(look_into(
        &text.name, definition, &files, resolved, exports,
    )?);
    Ok((checked.with_files(files.into_iter().collect()), doubts))
}

/// What a generator would not take, found before any is started. Gives a doubt where the files are too large to be looked into here.
fn look_into(
    name: &str,
    definition: &Definition,
    files: &BTreeMap<String, Bytes>,
    resolved: bool,
    exports: Vec<String>,
) -> Result<Option<String>> {
    let bytes: usize = files.values().map(Bytes::len).sum();
    let (mut faults, doubt) = match bytes > LOOKED_INTO {
        true => (
            Vec::new(),
            Some(format!(
                "the files of the test have {bytes} bytes, more than {LOOKED_INTO}, and were not looked into: a fault in them ends the tasks"
            )),
        ),
        false => (preflight::faults(definition, files, resolved), None),
    };
    faults.extend(observe_in_the_cloud(&definition.observe));
    faults.extend(exports);
    if faults.is_empty() {
        return Ok(doubt);
    }
    let lines: Vec<_> = faults
        .iter()
        .map(|fault| format!("{name}: {fault}"))
        .collect();
    Err(FunctionError::invalid(lines.join("\n")))
}

/// Whether what is to become a test's newest version lies in the bucket, as somebody has put it there.
fn registrable(input: &Input) -> Result<()> {
    let stored = input.version.is_some() && input.definition.is_none();
    match input.register && !(stored && input.parameters.is_empty()) {
        true => Err(FunctionError::invalid(
            "input: register goes with the version of a stored definition and without parameters; a definition in the input is run and never becomes a version of its test",
        )),
        false => Ok(()),
    }
}

fn inline(text: String) -> Text {
    Text {
        name: "definition".into(),
        text: text.into(),
        folder: None,
        files: BTreeSet::new(),
    }
}

async fn stored(app: &App, input: &Input) -> Result<Text> {
    let need = |what: &str, value: &Option<String>| {
        value.clone().ok_or_else(|| {
            FunctionError::invalid(format!(
                "input: {what} is missing; give project and test of a stored definition, or a definition"
            ))
        })
    };
    let project = need("project", &input.project)?;
    let test = need("test", &input.test)?;
    let version = match &input.version {
        Some(version) => version.clone(),
        None => match app.stores.records.latest_test(&project, &test).await? {
            Some(record) => record.version,
            None => {
                return Err(FunctionError::invalid(format!(
                    "project {project:?} has no test {test:?}; run it once with `floodgate run FILE --cloud`, or give a definition"
                )));
            }
        },
    };
    let folder = definition_file(&project, &test, &version, "");
    let key = format!("{folder}{DEFINITION_FILE}");
    let text = app.stores.objects.get(&key).await?.ok_or_else(|| {
        FunctionError::invalid(format!(
            "version {version:?} of test {test:?} in project {project:?} is not in the bucket; leave the version out to get the newest"
        ))
    })?;
    let all = app.stores.objects.list(&folder).await?;
    let names = all.iter().filter_map(|o| o.key.strip_prefix(&folder));
    Ok(Text {
        name: key,
        text,
        files: names.map(str::to_owned).collect(),
        folder: Some(folder),
    })
}

fn agree(what: &str, asked: Option<&str>, found: &str) -> Result<()> {
    match asked.filter(|asked| *asked != found) {
        Some(asked) => Err(FunctionError::invalid(format!(
            "input: {what} is {asked:?}, the definition says {found:?}; make them the same or leave it out of the input"
        ))),
        None => Ok(()),
    }
}
