//! From a definition's text to a test that can be prepared on this machine.

use crate::env::{Environment, SECRET_VARIABLES};
use crate::error::{CliError, Result};
use crate::files;
use crate::script::above::Above;
use crate::script::{self, definition_of};
use bytes::Bytes;
use floodgate_control::load::{self, Checked, Loaded};
use floodgate_control::{Stores, TestPackage};
use floodgate_core::definition::{
    Definition, ExportSpec, Parsed, Reference, Resolver, Source, place_of, sketch,
};
use floodgate_engines::definition::complete;
use floodgate_engines::registry::labels;
use floodgate_engines::{Inspection, PreparedScript, engine_of, facts, link_out};
use floodgate_generator::preflight;
use floodgate_records::plan::Plan;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Where a definition came from.
#[derive(Clone, Debug)]
pub struct Origin {
    /// What messages call it.
    pub name: String,
    /// The folder that its relative paths start from.
    pub base_dir: PathBuf,
}

/// A test, ready to be prepared.
#[derive(Debug)]
pub struct LoadedTest {
    loaded: Loaded,
    /// The folder that its relative paths start from.
    pub base_dir: PathBuf,
    /// What is allowed and probably not meant, or has no effect here.
    pub warnings: Vec<String>,
    inspection: Option<Value>,
}

impl LoadedTest {
    /// The definition.
    pub fn parsed(&self) -> &Parsed {
        &self.loaded.parsed
    }

    /// The test alone.
    pub fn into_loaded(self) -> Loaded {
        self.loaded
    }

    /// What its script says of itself; `None` without a script.
    pub fn inspection(&self) -> Option<&Value> {
        self.inspection.as_ref()
    }

    /// What the preparation needs.
    pub fn package(&self) -> TestPackage<'_> {
        self.loaded.package(self.warnings.clone())
    }
}

/// Loads a definition's file, `-` for standard input, or a script as a definition that says nothing more: a file, or the folder of a project.
///
/// # Errors
/// A file that cannot be read, a folder of no project, and all faults of the definition.
pub fn load_file(
    path: &Path,
    overrides: &[(String, String)],
    env: &Environment,
) -> Result<LoadedTest> {
    let (text, origin) = read_file(path)?;
    load_text(text, origin, overrides, env)
}

/// The text of a definition as [`load_file`] finds it.
///
/// # Errors
/// A file that cannot be read, a folder of no project.
pub(crate) fn read_file(path: &Path) -> Result<(Vec<u8>, Origin)> {
    if path == Path::new("-") {
        let origin = Origin {
            name: "standard input".to_owned(),
            base_dir: PathBuf::from("."),
        };
        return Ok((files::read_stdin()?, origin));
    }
    // `.` has a name, and a folder that it is in.
    let full = match path.file_name() {
        Some(_) => path.to_owned(),
        None => files::full(path)?,
    };
    let text = match engine_of(&full) {
        Some(engine) => {
            // A clear word on a name that is wrong; the engine reads it itself.
            if !full.is_dir() {
                files::read(&full)?;
            }
            definition_of(&full, engine)
        }
        None => files::read_or_project(path)?,
    };
    let base_dir = full
        .parent()
        .filter(|p| !p.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let origin = Origin {
        name: path.display().to_string(),
        base_dir: base_dir.to_owned(),
    };
    Ok((text, origin))
}

/// Loads a definition's text, and the files that it names.
///
/// # Errors
/// As for [`load_file`].
pub fn load_text(
    text: Vec<u8>,
    origin: Origin,
    overrides: &[(String, String)],
    env: &Environment,
) -> Result<LoadedTest> {
    let env = env.clone().within(&origin.base_dir);
    let source = Source {
        name: &origin.name,
        text: &text,
    };
    let overrides = &[for_script(&text, &env), overrides.to_vec()].concat();
    let mut checked = load::check(&source, overrides, &env)?;
    no_stray_load_options(&checked.parsed.definition, &env)?;
    let (mut made, mut inspection, mut said) = (None, None, Vec::new());
    let mut base_dir = origin.base_dir;
    if checked.parsed.definition.engine.runs_scripts() {
        let mut inspected = script::prepare(&checked.parsed.definition, &base_dir, &env)?;
        let above = Above::of(&base_dir, &inspected.inspection.files);
        script::name_files(&mut inspected.inspection, above.as_ref());
        inspection = Some(inspected.inspection.to_json());
        let env = match &above {
            Some(above) => env.within(&above.folder),
            None => env,
        };
        said = complete_with(&mut checked, &inspected, above.as_ref(), overrides, &env)?;
        if let Some(above) = above {
            base_dir = above.folder;
        }
        drop_settled(&mut checked, &inspected.inspection);
        made = inspected
            .packed
            .map(|(name, bytes)| (name, Bytes::from(bytes)));
    }
    let mut warnings = checked.doubts.clone();
    warnings.extend(checked.parsed.local.iter().map(ToString::to_string));
    warnings.append(&mut said);
    // A script that is named to be run is meant, wherever it lies.
    let meant = engine_of(Path::new(&origin.name)).and(checked.parsed.definition.script.as_deref());
    let named: Vec<_> = (checked.parsed.files.iter())
        .filter(|file| meant != Some(file.as_str()))
        .collect();
    refuse(&origin.name, &links_out(&named, &base_dir))?;
    let mut contents = Vec::new();
    for file in &checked.parsed.files {
        let content = match &made {
            Some((name, content)) if name == file => content.clone(),
            _ => Bytes::from(files::read_named(&base_dir.join(file))?),
        };
        contents.push((file.clone(), content));
    }
    let definition = &checked.parsed.definition;
    let resolved = checked.parsed.open.is_empty();
    let faults = preflight::faults(definition, base_dir.as_path(), resolved);
    refuse_at(&source, definition, &faults)?;
    let json = inspection.as_ref().map(|all| Bytes::from(all.to_string()));
    Ok(LoadedTest {
        loaded: checked.with_files(contents).inspected(json),
        base_dir,
        warnings,
        inspection,
    })
}

/// An error of all faults, if there are some; those of the document that responses are held against name the place that gives it.
fn refuse_at(source: &Source<'_>, definition: &Definition, faults: &[String]) -> Result<()> {
    if faults.is_empty() {
        return Ok(());
    }
    let document = definition
        .contract
        .as_ref()
        .map(|contract| contract.file.as_str());
    let place = place_of(source, &["contract", "openapi"]).map(|place| {
        format!(
            "{}:{}:{}: {}",
            place.file, place.line, place.column, place.path
        )
    });
    let lines = faults.iter().flat_map(|fault| fault.lines()).map(|fault| {
        let of_document = document
            .filter(|document| {
                fault
                    .strip_prefix(document)
                    .is_some_and(|rest| rest.starts_with(':'))
            })
            .and(place.as_deref());
        format!("{}: {fault}\n", of_document.unwrap_or(source.name))
    });
    Err(CliError::definition(lines.collect::<String>()))
}

/// An error of all faults, if there are some.
fn refuse(name: &str, faults: &[String]) -> Result<()> {
    if faults.is_empty() {
        return Ok(());
    }
    let lines = faults.iter().map(|fault| format!("{name}: {fault}\n"));
    Err(CliError::definition(lines.collect::<String>()))
}

/// What `--env` and `--env-file` give is for a script too, as overrides of its parameters: by reference, so that a value is stored no
/// more than that of another reference. A parameter that is made of the variable already stays as it is.
fn for_script(text: &[u8], env: &Environment) -> Vec<(String, String)> {
    let Some(definition) = sketch(text).filter(|tree| tree.get("script").is_some()) else {
        return Vec::new();
    };
    let is_made_of = |name: &str| {
        let own = definition.get("parameters").and_then(|all| all.get(name));
        own.and_then(Value::as_str)
            .is_some_and(|own| own.contains(&format!("${{env:{name}")))
    };
    let names = env.given().keys().filter(|name| {
        // A secret reaches a script by a reference that says so, or not at all.
        !name.starts_with(SECRET_VARIABLES) && !is_made_of(name)
    });
    names
        .map(|name| (format!("parameters.{name}"), format!("${{env:{name}}}")))
        .collect()
}

/// Options of a load are for scripts that take them; a word on what stands in their place elsewhere.
fn no_stray_load_options(definition: &Definition, env: &Environment) -> Result<()> {
    let engine = facts(definition.engine);
    if engine.takes_load_options || env.load_options().is_empty() {
        return Ok(());
    }
    Err(CliError::usage(format!(
        "--vus, --duration, --iterations, --stage and --rps are for scripts of {}, and the engine is {}: {}",
        labels("or", |facts| facts.takes_load_options),
        definition.engine.as_str(),
        match definition.engine.runs_scripts() {
            false => "write --set scenarios.NAME.vus=10, or use floodgate hit",
            true => "give the script's parameters with -J NAME=VALUE",
        }
    )))
}

/// A file that is a link, or lies behind one, which leads out of the definition's folder: what a definition or a script names is stored
/// beside it, so that one from elsewhere could carry away any file of this machine.
fn links_out(names: &[&String], base_dir: &Path) -> Vec<String> {
    let out = names.iter().filter_map(|name| {
        let to = link_out(base_dir, Path::new(name))?;
        Some(format!(
            "file {name} is a link that leads out of the definition's folder, to {}; copy what it leads to",
            to.display()
        ))
    });
    out.collect()
}

/// Metrics that only engines make.
const OF_ENGINES: [&str; 4] = ["group_duration", "ws_", "grpc_", "browser_"];

/// Drops the doubt whether a metric is ever recorded, where the script declares it or the engine makes it.
fn drop_settled(checked: &mut Checked, inspection: &Inspection) {
    let thresholds = &checked.parsed.definition.thresholds;
    let metrics = thresholds.iter().map(|threshold| {
        let metric = threshold.key.split('{').next().unwrap_or_default();
        metric.to_owned()
    });
    let settled: Vec<_> = metrics
        .filter(|metric| {
            inspection.metrics.contains(metric)
                || OF_ENGINES.iter().any(|own| metric.starts_with(own))
        })
        .map(|metric| format!(": {metric} is not built in"))
        .collect();
    checked
        .doubts
        .retain(|doubt| !settled.iter().any(|known| doubt.contains(known)));
}

/// Lets the definition say what its script does, and be checked once more with that. Gives warnings.
fn complete_with(
    checked: &mut Checked,
    inspected: &PreparedScript,
    above: Option<&Above>,
    overrides: &[(String, String)],
    env: &Environment,
) -> Result<Vec<String>> {
    let script = checked.parsed.definition.script.clone().unwrap_or_default();
    let name = format!("{script} (what it says of its load)");
    let made = inspected.packed.as_ref().map(|(name, _)| name.as_str());
    let known = WithMade { known: env, made };
    let check = |text: &str| {
        let source = Source {
            name: &name,
            text: text.as_bytes(),
        };
        load::check(&source, overrides, &known)
    };
    let mut whole = checked.parsed.normalised.clone();
    if let (Some(keys), Some(above)) = (whole.as_object_mut(), above) {
        above.rebase(keys);
    }
    let (mut warnings, text) = completed(&whole, inspected, &inspected.inspection);
    let why = match check(&text) {
        Ok(planned) => {
            *checked = planned;
            return Ok(warnings);
        }
        Err(why) => why,
    };
    // A plan is what we add: a load that cannot be planned for runs all the same.
    let unplanned = Inspection {
        scenarios: Vec::new(),
        ..inspected.inspection.clone()
    };
    let (_, text) = completed(&whole, inspected, &unplanned);
    *checked = check(&text)?;
    warnings.push(format!(
        "the script's load is not planned, and not held against a plan: {}",
        why.text.lines().next().unwrap_or_default()
    ));
    Ok(warnings)
}

/// A normalised definition as text, with what its script says, and the warnings of that.
fn completed(
    normalised: &Value,
    inspected: &PreparedScript,
    inspection: &Inspection,
) -> (Vec<String>, String) {
    let mut whole = normalised.clone();
    let mut warnings = Vec::new();
    if let Some(keys) = whole.as_object_mut() {
        warnings = complete(keys, inspection, inspected.uncounted);
        if let Some((name, _)) = &inspected.packed {
            keys.insert("script".into(), name.clone().into());
        }
    }
    (warnings, whole.to_string())
}

/// Files that do not lie in the folder but are made for this run are there as well.
struct WithMade<'a> {
    known: &'a Environment,
    made: Option<&'a str>,
}

impl Resolver for WithMade<'_> {
    fn env(&self, name: &str) -> Option<String> {
        self.known.env(name)
    }

    fn secret(&self, reference: &str) -> std::result::Result<String, String> {
        Resolver::secret(self.known, reference)
    }

    fn file_exists(&self, relative: &str) -> bool {
        self.made == Some(relative) || self.known.file_exists(relative)
    }

    fn missing_file(&self) -> &'static str {
        self.known.missing_file()
    }

    fn leaves_open(&self, reference: &Reference) -> bool {
        self.known.leaves_open(reference)
    }

    fn export_fault(&self, export: &ExportSpec) -> Option<String> {
        self.known.export_fault(export)
    }
}

/// The definition of a run that was prepared earlier.
///
/// # Errors
/// A definition that is gone, or references that stand for nothing here.
pub async fn load_stored(stores: &Stores, plan: &Plan, env: &Environment) -> Result<Definition> {
    Ok(load::load_stored(stores.objects.as_ref(), plan, env).await?)
}

/// The same, and what its references stand for is left open where that is not known here: a definition to sum a run up by, and not
/// to judge it.
///
/// # Errors
/// A definition that is gone or damaged.
pub async fn load_stored_open(
    stores: &Stores,
    plan: &Plan,
    env: &Environment,
) -> Result<Definition> {
    load_stored(stores, plan, &env.clone().leaving_references_open()).await
}
