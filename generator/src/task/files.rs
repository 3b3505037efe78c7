//! Where a task finds the definition and the files that it names.

use super::RunError;
use super::objects::parse;
use floodgate_core::definition::Resolver;
use floodgate_core::definition::model::Definition;
use floodgate_core::execution::plan::Plan;
use floodgate_core::keys::{DEFINITION_FILE, definition_file};
use floodgate_store::ObjectStore;
use std::path::{Path, PathBuf};

/// A folder that the definition's relative paths start from.
pub(super) enum BaseFolder {
    /// The one that the definition came from.
    Original(PathBuf),
    /// A copy out of the store, removed with this value.
    Copy(PathBuf),
}

impl BaseFolder {
    pub(super) fn path(&self) -> &Path {
        match self {
            Self::Original(path) | Self::Copy(path) => path,
        }
    }
}

impl Drop for BaseFolder {
    fn drop(&mut self) {
        if let Self::Copy(path) = self {
            // What is left behind in the folder for temporary files is the system's to remove.
            drop(std::fs::remove_dir_all(path));
        }
    }
}

fn key(plan: &Plan, file: &str) -> String {
    definition_file(&plan.project, &plan.test, &plan.version, file)
}

/// Reads the definition of a plan.
pub(super) async fn definition(
    store: &dyn ObjectStore,
    plan: &Plan,
    resolver: &dyn Resolver,
) -> Result<Definition, RunError> {
    parse(store, &key(plan, DEFINITION_FILE), resolver).await
}

/// The files of a plan, as the store has them: those in the definition's folder may have changed since.
pub(super) async fn base_folder(
    store: &dyn ObjectStore,
    plan: &Plan,
) -> Result<BaseFolder, RunError> {
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
    let folder = std::env::temp_dir().join(format!(
        "floodgate-{}-{}",
        plan.execution,
        std::process::id()
    ));
    let copy = BaseFolder::Copy(folder.clone());
    for file in files {
        let key = key(plan, file);
        let bytes = store
            .get(&key)
            .await?
            .ok_or_else(|| RunError::Missing { key: key.clone() })?;
        let problem = |error: std::io::Error| {
            RunError::Unusable(format!("{}: {error}", folder.join(file).display()))
        };
        let path = folder.join(safe(file).ok_or_else(|| RunError::Malformed {
            key,
            problem: "its path leaves the folder".to_owned(),
        })?);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(problem)?;
        }
        std::fs::write(&path, bytes).map_err(problem)?;
    }
    Ok(copy)
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
