//! Exports: the merged windows of a run, handed to sinks. A run and its verdict do not depend on them.

mod live;
mod targets;

use crate::error::CliError;
use crate::output::say;
use floodgate_exporter::{ExportError, Told};
pub(crate) use live::Exports;
pub(crate) use targets::{bound, of_arguments, of_definition, of_metrics};

impl From<ExportError> for CliError {
    fn from(error: ExportError) -> Self {
        match error {
            ExportError::Target(error) => Self::usage(format!("--to {error}")),
            ExportError::Control(error) => error.into(),
            ExportError::Store(error) => error.into(),
            error @ ExportError::Corrupt { .. } | error @ ExportError::Missing { .. } => {
                Self::run("export", error.to_string())
            }
        }
    }
}

/// Says on stderr what exports did not get, and how to repeat them; `place` are the options that say where the run is.
pub(crate) fn warn(id: &str, place: &str, all: &[Told]) {
    for warning in all.iter().flat_map(|told| told.warnings(id, place)) {
        say!("warning: {warning}");
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::print_stderr)]
mod tests;
