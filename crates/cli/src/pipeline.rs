//! What a pipeline is told: an annotation for each thing that went wrong, and a summary of the job.

use crate::output::{say, write_raw};
use floodgate_records::execution::Execution;
use floodgate_records::summary::Summary;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::PathBuf;

/// What a run takes place in, as far as it wants to be told.
#[derive(Debug, Default)]
pub(crate) struct Pipeline {
    /// Whether lines that begin with `::` are commands.
    annotates: bool,
    /// The file that GitHub shows as Markdown.
    summary: Option<PathBuf>,
}

impl Pipeline {
    /// What the environment says.
    pub(crate) fn of(variable: impl Fn(&str) -> Option<String>) -> Self {
        let summary = variable("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty());
        Self {
            annotates: variable("GITHUB_ACTIONS").is_some_and(|on| on == "true"),
            summary: summary.map(PathBuf::from),
        }
    }

    /// The environment of this process.
    pub(crate) fn here() -> Self {
        Self::of(|name| std::env::var(name).ok())
    }

    /// Annotates why a run did not pass, and its warnings. Annotations come first, so that the log begins with the reason.
    pub(crate) fn annotate(&self, execution: &Execution, summary: &Summary) {
        if self.annotates {
            write_raw(&floodgate_report::annotations(execution, summary));
        }
    }

    /// Adds the run to the summary of the job. `place`: where the report is.
    pub(crate) fn sum_up(&self, execution: &Execution, summary: &Summary, place: Option<&str>) {
        let Some(path) = &self.summary else { return };
        let text = floodgate_report::markdown(execution, summary, place);
        let file = OpenOptions::new().append(true).create(true).open(path);
        let written = file.and_then(|mut file| file.write_all(format!("{text}\n").as_bytes()));
        if let Err(error) = written {
            say!(
                "warning: {}: {error}; the job's summary does not have this run",
                path.display()
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_told_outside_of_a_pipeline() {
        let none = Pipeline::of(|_| None);
        assert!(!none.annotates && none.summary.is_none());
        let github = Pipeline::of(|name| match name {
            "GITHUB_ACTIONS" => Some("true".into()),
            "GITHUB_STEP_SUMMARY" => Some("/tmp/summary.md".into()),
            _ => None,
        });
        assert!(github.annotates && github.summary.is_some());
    }
}
