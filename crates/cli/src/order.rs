//! For whom a run is started: a file that `floodgate serve` writes for `floodgate run`.

use crate::error::{CliError, Result};
use floodgate_control::TargetRules;
use floodgate_core::definition::Definition;
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
    /// What its load may be sent to; `None`: anything.
    #[serde(default)]
    pub(crate) targets: Option<TargetRules>,
}

/// A run that somebody else has ordered.
#[derive(Debug)]
pub(crate) struct Ordered {
    /// Who, and from where.
    pub(crate) trigger: Trigger,
    /// What its load may be sent to: its tasks look at each address, too.
    pub(crate) allowed_targets: Option<Vec<String>>,
    /// What the record should say.
    pub(crate) warnings: Vec<String>,
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

    /// What is ordered, if this definition may be run for it.
    ///
    /// # Errors
    /// A definition of another project, and load for what the project may not load.
    pub(crate) fn of(self, definition: &Definition) -> Result<Ordered> {
        self.is_for(&definition.project)?;
        let rules = self.targets.unwrap_or_default();
        let warnings = match rules.allowed_targets {
            Some(_) => rules.judge(definition),
            None => Ok(Vec::new()),
        };
        Ok(Ordered {
            warnings: warnings.map_err(|why| CliError::definition(format!("error: {why}\n")))?,
            trigger: self.trigger,
            allowed_targets: rules.allowed_targets,
        })
    }

    fn is_for(&self, project: &str) -> Result<()> {
        if self.project == project {
            return Ok(());
        }
        Err(CliError::definition(format!(
            "project: the definition is of {project}, and the run was asked for in {}: write project: {}\n",
            self.project, self.project
        )))
    }
}
