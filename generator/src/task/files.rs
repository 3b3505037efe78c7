//! Where a task finds the definition and the files that it names.

use super::error::{MalformedObject, TaskError};
use super::objects::parse;
use floodgate_core::definition::Resolver;
use floodgate_core::definition::model::Definition;
use floodgate_records::keys::{DEFINITION_FILE, definition_file};
use floodgate_records::plan::Plan;
use floodgate_store::ObjectStore;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A folder that the definition's relative paths start from.
pub(super) enum BaseFolder {
    /// The one that the definition came from.
    Original(PathBuf),
    /// A copy out of the store, removed with this value.
    Copy(TempDir),
}

impl BaseFolder {
    pub(super) fn path(&self) -> &Path {
        match self {
            Self::Original(path) => path,
            Self::Copy(folder) => folder.path(),
        }
    }
}

/// A folder of a task's own among those for temporary files, removed with the value: what cannot be removed is the system's to remove.
pub(super) fn temporary(execution: &str) -> Result<TempDir, TaskError> {
    let made = tempfile::Builder::new()
        .prefix(&format!("floodgate-{execution}-"))
        .tempdir();
    made.map_err(TaskError::system(
        std::env::temp_dir().display().to_string(),
    ))
}

fn key(plan: &Plan, file: &str) -> String {
    definition_file(&plan.project, &plan.test, &plan.version, file)
}

/// Reads the definition of a plan.
pub(super) async fn definition(
    store: &dyn ObjectStore,
    plan: &Plan,
    resolver: &dyn Resolver,
) -> Result<Definition, TaskError> {
    parse(store, &key(plan, DEFINITION_FILE), resolver).await
}

/// The files of a plan, as the store has them: those in the definition's folder may have changed since.
pub(super) async fn base_folder(
    store: &dyn ObjectStore,
    plan: &Plan,
) -> Result<BaseFolder, TaskError> {
    let files: Vec<_> = plan
        .files
        .iter()
        .filter(|file| *file != DEFINITION_FILE)
        .collect();
    if files.is_empty() {
        return Ok(BaseFolder::Original(
            plan.base_dir
                .clone()
                .map_or_else(PathBuf::new, PathBuf::from),
        ));
    }
    let copy = temporary(&plan.execution)?;
    let folder = copy.path();
    for file in files {
        let key = key(plan, file);
        let bytes = store
            .get(&key)
            .await?
            .ok_or_else(|| TaskError::Missing { key: key.clone() })?;
        let problem = || TaskError::system(folder.join(file).display().to_string());
        let path = folder.join(safe(file).ok_or_else(|| TaskError::Malformed {
            key,
            source: MalformedObject::Outside,
        })?);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(problem())?;
        }
        std::fs::write(&path, bytes).map_err(problem())?;
    }
    Ok(BaseFolder::Copy(copy))
}

/// A relative path without a way up.
fn safe(file: &str) -> Option<&Path> {
    let path = Path::new(file);
    path.components()
        .all(|part| {
            matches!(
                part,
                std::path::Component::Normal(_) | std::path::Component::CurDir
            )
        })
        .then_some(path)
}
