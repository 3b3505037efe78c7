//! For whom a run is started: a file that `floodgate serve` writes for `floodgate run`.

use crate::error::{CliError, Result};
use floodgate_records::execution::Trigger;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// For whom a run is started, and in which project alone.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Order {
    /// The project that whoever ordered it has a role in.
    pub(crate) project: String,
    /// Who ordered it.
    pub(crate) trigger: Trigger,
}

impl Order {
    /// Reads one.
    ///
    /// # Errors
    /// A file that cannot be read or is none.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read(path).map_err(|error| CliError::read(path, error, None))?;
        serde_json::from_slice(&text).map_err(|error| CliError::read(path, error, None))
    }

    /// Whether it is for a test of this project.
    ///
    /// # Errors
    /// Another project.
    pub(crate) fn is_for(&self, project: &str) -> Result<()> {
        if self.project == project {
            return Ok(());
        }
        Err(CliError::definition(format!(
            "project: the definition is of {project}, and the run was asked for in {}: write project: {}\n",
            self.project, self.project
        )))
    }
}
