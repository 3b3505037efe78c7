//! From a definition's text to a test that can be prepared on this machine.

use crate::env::Environment;
use crate::error::Result;
use crate::files;
use bytes::Bytes;
use floodgate_control::elsewhere::Reference;
use floodgate_control::load::{self, LoadError, Loaded};
use floodgate_control::{Stores, TestPackage};
use floodgate_core::definition::{Definition, Fault, Faults, Parsed, Severity, Source};
use floodgate_core::execution::plan::Plan;
use std::collections::BTreeSet;
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
    /// Why it is a valid definition that cannot be run here.
    pub refusals: Vec<Fault>,
    /// The references that stand for nothing that is known here.
    pub open: BTreeSet<Reference>,
}

impl LoadedTest {
    /// The definition.
    pub fn parsed(&self) -> &Parsed {
        &self.loaded.parsed
    }

    /// Whether it can be run on this machine.
    ///
    /// # Errors
    /// [`CliError::Definition`](crate::error::CliError::Definition) with the places of what this build does not run.
    pub fn runnable(&self) -> Result<()> {
        if self.refusals.is_empty() {
            Ok(())
        } else {
            Err(LoadError::from(Faults(self.refusals.clone())).into())
        }
    }

    /// What the preparation needs.
    pub fn package(&self) -> TestPackage<'_> {
        self.loaded.package(self.warnings.clone())
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
    let variables = env.open_variables(&text);
    let (checked, open) = load::check_elsewhere(&source, overrides, env.open(&variables));
    let checked = checked?;
    let (refusals, unheeded): (Vec<_>, Vec<_>) = checked
        .parsed
        .local
        .iter()
        .cloned()
        .partition(|fault| fault.severity == Severity::Error);
    let mut warnings = checked.doubts.clone();
    warnings.extend(unheeded.iter().map(ToString::to_string));
    let mut contents = Vec::new();
    for file in &checked.parsed.files {
        let content = files::read(&origin.base_dir.join(file))?;
        contents.push((file.clone(), Bytes::from(content)));
    }
    Ok(LoadedTest {
        loaded: checked.with_files(contents),
        base_dir: origin.base_dir,
        warnings,
        refusals,
        open,
    })
}

/// The definition of a run that was prepared earlier.
///
/// # Errors
/// A definition that is gone, or references that stand for nothing here.
pub async fn load_stored(stores: &Stores, plan: &Plan, env: &Environment) -> Result<Definition> {
    let objects = stores.objects.as_ref();
    Ok(load::load_stored_elsewhere(objects, plan, env.open(&BTreeSet::new())).await?)
}
