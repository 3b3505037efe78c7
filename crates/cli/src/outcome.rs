//! What is shown of a run that is over.

use crate::args::ShowArgs;
use crate::error::{CliError, Result};
use crate::output::print;
use console::style;
use floodgate_control::Finished;
use floodgate_core::execution::record::Execution;
use floodgate_core::execution::summary::Summary;
use floodgate_report::Style;
use std::path::Path;
use std::process::ExitCode;

/// Where the account of a run goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output<'a> {
    /// JSON or a table, and whether hints are wanted.
    pub(crate) show: ShowArgs,
    /// The JUnit file.
    pub(crate) junit: Option<&'a Path>,
    /// The folder of executions.
    pub(crate) out: &'a Path,
}

/// Shows a run that has just ended; its verdict is the exit code.
///
/// # Errors
/// A stdout or JUnit file that cannot be written.
pub(crate) fn conclude(finished: &Finished, output: &Output<'_>) -> Result<ExitCode> {
    show(finished, output)?;
    Ok(ExitCode::from(finished.execution.status.exit_code()))
}

/// Shows a run that has just ended.
///
/// # Errors
/// A stdout or JUnit file that cannot be written.
pub(crate) fn show(finished: &Finished, output: &Output<'_>) -> Result<()> {
    let Finished { execution, summary } = finished;
    if output.show.json {
        print_summary_json(summary)?;
    } else {
        print_summary(execution, summary)?;
    }
    if let Some(path) = output.junit {
        let xml =
            floodgate_report::junit(execution, summary).map_err(|e| CliError::write(path, e))?;
        std::fs::write(path, xml).map_err(|e| CliError::write(path, e))?;
    }
    if !output.show.quiet && !output.show.json {
        let command = show_command(&execution.id, output.out);
        eprintln!("{} {command}", style("show it again:").for_stderr().dim());
    }
    Ok(())
}

/// The command that shows a run again, from the same working folder.
pub(crate) fn show_command(id: &str, out: &Path) -> String {
    if out == Path::new(".floodgate") {
        format!("floodgate show {id}")
    } else {
        format!("floodgate show {id} --out {}", out.display())
    }
}

/// Prints the account of a run as a table.
///
/// # Errors
/// A stdout that cannot be written.
pub(crate) fn print_summary(execution: &Execution, summary: &Summary) -> Result<()> {
    print(&floodgate_report::summary(
        execution,
        summary,
        Style::of_stdout(),
    ))
}

/// Prints exactly the summary.
///
/// # Errors
/// A stdout that cannot be written.
pub(crate) fn print_summary_json(summary: &Summary) -> Result<()> {
    print(&floodgate_report::json(summary).map_err(|e| CliError::write("stdout", e))?)
}
