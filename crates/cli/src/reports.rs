//! Files that tell of a run beside what is printed, each in the form that its reader takes.

use crate::args::ReportArgs;
use crate::error::{CliError, Result};
use crate::local::page;
use crate::output::say;
use crate::output_file::OutputFile;
use floodgate_control::Stores;
use floodgate_records::execution::Execution;
use floodgate_records::summary::Summary;
use std::error::Error;

/// The files that a command is told to write, opened before anything is sent.
#[derive(Debug, Default)]
pub(crate) struct ReportFiles {
    junit: Option<OutputFile>,
    markdown: Option<OutputFile>,
    html: Option<OutputFile>,
    openmetrics: Option<OutputFile>,
    badge: Option<OutputFile>,
}

impl ReportFiles {
    /// Opens them.
    ///
    /// # Errors
    /// The first that cannot be written.
    pub(crate) fn open(args: &ReportArgs) -> Result<Self> {
        let open = |path: &Option<std::path::PathBuf>| {
            let path = path.as_deref();
            path.map(OutputFile::open).transpose()
        };
        Ok(Self {
            junit: open(&args.junit)?,
            markdown: open(&args.markdown)?,
            html: open(&args.html)?,
            openmetrics: open(&args.openmetrics)?,
            badge: open(&args.badge)?,
        })
    }

    /// Writes all of them; each that cannot be written is named, and changes no verdict. `place`: where the report is.
    pub(crate) async fn write(
        &self,
        stores: &Stores,
        execution: &Execution,
        summary: &Summary,
        place: Option<&str>,
    ) -> Vec<CliError> {
        let mut failed = Vec::new();
        let mut put = |file: &Option<OutputFile>, text: &dyn Fn() -> Made| {
            if let Some(file) = file {
                let made = text().and_then(|text| file.write(&text));
                failed.extend(made.err());
            }
        };
        put(&self.junit, &|| {
            floodgate_report::junit(execution, summary).map_err(|e| not_made("the JUnit file", e))
        });
        put(&self.markdown, &|| {
            Ok(floodgate_report::markdown(execution, summary, place))
        });
        put(&self.openmetrics, &|| {
            Ok(floodgate_report::openmetrics(summary))
        });
        put(&self.badge, &|| Ok(floodgate_report::badge(summary)));
        if self.html.is_some() {
            let page = page(stores, execution, summary).await;
            put(&self.html, &|| {
                page.clone().map_err(|e| not_made("the report", e))
            });
        }
        failed
    }

    /// The same, saying what could not be written.
    pub(crate) async fn write_or_say(
        &self,
        stores: &Stores,
        execution: &Execution,
        summary: &Summary,
        place: Option<&str>,
    ) {
        let status = execution.status.as_str();
        for error in self.write(stores, execution, summary, place).await {
            say!("warning: {error}; the verdict is {status} all the same");
        }
    }
}

type Made = Result<String>;

fn not_made(what: &str, error: impl Into<Box<dyn Error + Send + Sync>>) -> CliError {
    CliError::run(format!("make {what}"), error)
}
