//! From a definition's text to a test that can be prepared.

use crate::env::Environment;
use crate::error::{CliError, Result};
use crate::files;
use bytes::Bytes;
use floodgate_control::{ControlError, DEFINITION_FILE, Stores, TestPackage};
use floodgate_core::baseline::Baseline;
use floodgate_core::definition::{
    Definition, Fault, Faults, Overrides, Parsed, Severity, Source, parse_with, version,
};
use floodgate_core::execution::plan::Plan;
use floodgate_core::keys::definition_file;
use floodgate_core::threshold::Thresholds;
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
    /// The definition.
    pub parsed: Parsed,
    /// The folder that its relative paths start from.
    pub base_dir: PathBuf,
    /// What is allowed and probably not meant, or has no effect here.
    pub warnings: Vec<String>,
    /// Why it is a valid definition that cannot be run here.
    pub refusals: Vec<Fault>,
    version: String,
    files: Vec<(String, Bytes)>,
    overrides: Vec<(String, String)>,
}

impl LoadedTest {
    /// Whether it can be run on this machine.
    ///
    /// # Errors
    /// [`CliError::Definition`] with the places of what this build does not run.
    pub fn runnable(&self) -> Result<()> {
        if self.refusals.is_empty() {
            Ok(())
        } else {
            Err(definition_error(Faults(self.refusals.clone())))
        }
    }

    /// What the preparation needs.
    pub fn package(&self) -> TestPackage<'_> {
        TestPackage {
            definition: &self.parsed.definition,
            target: self.parsed.shown_target.clone(),
            normalised: self.parsed.normalised.to_string().into(),
            version: self.version.clone(),
            files: self.files.clone(),
            parameters: self.overrides.iter().cloned().collect(),
            warnings: self.warnings.clone(),
        }
    }
}

/// Loads a definition's file.
///
/// # Errors
/// A file that cannot be read, and all faults of the definition.
pub fn load_file(
    path: &Path,
    overrides: &[(String, String)],
    env: &Environment,
) -> Result<LoadedTest> {
    let text = files::read(path)?;
    let base_dir = path
        .parent()
        .filter(|p| !p.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let origin = Origin {
        name: path.display().to_string(),
        base_dir: base_dir.to_owned(),
    };
    load_text(text, origin, overrides, env)
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
    let parsed = parse_with(&source, &Overrides(overrides.to_vec()), &env, judge)
        .map_err(definition_error)?;
    let (refusals, unheeded): (Vec<_>, Vec<_>) = parsed
        .local
        .iter()
        .cloned()
        .partition(|fault| fault.severity == Severity::Error);
    let mut warnings: Vec<String> = parsed
        .warnings
        .iter()
        .chain(&unheeded)
        .map(ToString::to_string)
        .collect();
    warnings.extend(compile(&parsed.definition)?);
    let mut contents = Vec::new();
    for file in &parsed.files {
        contents.push((file.clone(), files::read(&origin.base_dir.join(file))?));
    }
    let version = version(&parsed.normalised, contents.iter().cloned());
    let files = contents
        .into_iter()
        .map(|(name, content)| (name, content.into()))
        .collect();
    Ok(LoadedTest {
        parsed,
        base_dir: origin.base_dir,
        warnings,
        refusals,
        version,
        files,
        overrides: overrides.to_vec(),
    })
}

/// The definition of a run that was prepared earlier.
///
/// # Errors
/// A definition that is gone, or references that stand for nothing here.
pub async fn load_stored(stores: &Stores, plan: &Plan, env: &Environment) -> Result<Definition> {
    let key = definition_file(&plan.project, &plan.test, &plan.version, DEFINITION_FILE);
    let stored = stores.objects.get(&key).await.map_err(ControlError::from)?;
    let missing = ControlError::Missing {
        key: key.clone(),
        consequence: "the run cannot be judged without it",
    };
    let text = stored.ok_or(missing)?;
    let source = Source {
        name: &key,
        text: &text,
    };
    Ok(parse_with(&source, &Overrides::default(), env, judge)
        .map_err(definition_error)?
        .definition)
}

fn judge(key: &str, expression: &str) -> std::result::Result<(), String> {
    floodgate_core::threshold::check(key, expression).map_err(|e| e.to_string())
}

/// What the definition's own grammar does not know: thresholds and baseline must compile. Returns doubts.
fn compile(definition: &Definition) -> Result<Vec<String>> {
    let broken = |faults: Vec<floodgate_core::threshold::ThresholdError>| {
        CliError::Definition(faults.iter().map(|f| format!("{f}\n")).collect())
    };
    if let Some(spec) = &definition.baseline {
        Baseline::compile(spec).map_err(broken)?;
    }
    Ok(Thresholds::compile(&definition.thresholds)
        .map_err(broken)?
        .warnings())
}

fn definition_error(faults: Faults) -> CliError {
    let errors = faults
        .0
        .iter()
        .filter(|f| f.severity == Severity::Error)
        .count();
    let count = if errors == 1 {
        "1 error".into()
    } else {
        format!("{errors} errors")
    };
    CliError::Definition(format!("{faults:#}\n\n{count}"))
}
