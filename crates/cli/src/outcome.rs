//! What is shown of a run that is over.

use crate::args::ShowArgs;
use crate::cloud::EndedRun;
use crate::error::{CliError, Result};
use crate::output::{print_styled, say, say_error, say_led, say_lines};
use crate::output_file::OutputFile;
use floodgate_control::Finished;
use floodgate_records::execution::Execution;
use floodgate_records::summary::Summary;
use floodgate_report::Style;
use std::path::Path;
use std::process::ExitCode;

/// Where the account of a run goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output<'a> {
    /// JSON or a table, and whether hints are wanted.
    pub(crate) show: ShowArgs,
    /// The JUnit file.
    pub(crate) junit: Option<&'a OutputFile>,
    /// The folder of executions.
    pub(crate) out: &'a Path,
}

/// Shows a run that has just ended; its verdict is the exit code.
pub(crate) fn conclude(finished: &Finished, output: &Output<'_>) -> ExitCode {
    show(finished, output, finished.execution.status.exit_code())
}

/// Shows a run that has just ended; gives the exit code, `verdict` where it could be shown.
pub(crate) fn show(finished: &Finished, output: &Output<'_>, verdict: u8) -> ExitCode {
    let Finished {
        execution,
        summary,
        unaudited,
    } = finished;
    if let Some(problem) = unaudited {
        say!("warning: the audit trail has no entry of the end: {problem}");
    }
    let code = account(execution, summary, output.show, output.junit, verdict);
    again(output.show, &show_command(&execution.id, output.out));
    code
}

/// Shows a run in the cloud that has ended; its verdict is the exit code.
pub(crate) fn conclude_cloud(
    ended: &EndedRun,
    shown: ShowArgs,
    junit: Option<&OutputFile>,
) -> ExitCode {
    let EndedRun { execution, summary } = ended;
    let verdict = execution.exit_code();
    match summary {
        Some(summary) => {
            let code = account(execution, summary, shown, junit, verdict);
            again(shown, &format!("floodgate show {} --cloud", execution.id));
            code
        }
        None => {
            say_lines(&without_summary(execution));
            ExitCode::from(verdict)
        }
    }
}

/// What there is to say of a run without a summary.
pub(crate) fn without_summary(execution: &Execution) -> String {
    let status = execution.status.as_str();
    let reasons = execution.reasons.join("; ");
    let (id, test) = (&execution.id, &execution.test);
    match &execution.error {
        // The faults of a definition are several lines.
        Some(error) => {
            format!("{id} of {test} is {status} ({error}), nothing was started:\n{reasons}")
        }
        None => format!("{id} of {test} is {status}: {reasons}"),
    }
}

/// Gives the account of a run. What cannot be written is said, and changes no verdict; but a pass of which nothing could be printed
/// is none that anybody was told.
fn account(
    execution: &Execution,
    summary: &Summary,
    shown: ShowArgs,
    junit: Option<&OutputFile>,
    verdict: u8,
) -> ExitCode {
    let printed = if shown.json {
        print_summary_json(summary)
    } else {
        print_summary(execution, summary)
    };
    let status = execution.status.as_str();
    if let Some(file) = junit
        && let Err(error) = write_junit(execution, summary, file)
    {
        say!("warning: {error}; the verdict is {status} all the same");
    }
    match printed {
        Ok(()) => ExitCode::from(verdict),
        Err(error) => {
            say_error(&error);
            say!("the verdict is {status}");
            ExitCode::from(match verdict {
                0 => error.exit_code(),
                verdict => verdict,
            })
        }
    }
}

fn write_junit(execution: &Execution, summary: &Summary, file: &OutputFile) -> Result<()> {
    let xml = floodgate_report::junit(execution, summary)
        .map_err(|error| CliError::run("make the JUnit file", error))?;
    file.write(&xml)
}

fn again(shown: ShowArgs, command: &str) {
    if !shown.quiet && !shown.json {
        say_led("show it again:", command);
    }
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
    print_styled(&floodgate_report::summary(
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
    print_styled(&floodgate_report::json(summary).map_err(|e| CliError::write("stdout", e))?)
}
