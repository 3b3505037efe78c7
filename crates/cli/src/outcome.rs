//! What is shown of a run that is over.

use crate::args::ShowArgs;
use crate::cloud::EndedRun;
use crate::error::{CliError, Result};
use crate::local::open_existing;
use crate::output::{place, print_styled, say, say_error, say_led, say_lines};
use crate::pipeline::Pipeline;
use crate::reports::ReportFiles;
use floodgate_control::{Finished, Stores};
use floodgate_records::execution::Execution;
use floodgate_records::keys::ExecutionKeys;
use floodgate_records::summary::Summary;
use floodgate_report::Style;
use std::path::Path;
use std::process::ExitCode;

/// Where the account of a run goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output<'a> {
    /// JSON or a table, and whether hints are wanted.
    pub(crate) show: ShowArgs,
    /// The files that were asked for.
    pub(crate) files: &'a ReportFiles,
    /// The folder of executions.
    pub(crate) out: &'a Path,
}

/// Shows a run that has just ended; its verdict is the exit code.
pub(crate) async fn conclude(finished: &Finished, output: &Output<'_>) -> ExitCode {
    show(finished, output, finished.execution.status.exit_code()).await
}

/// Shows a run that has just ended; gives the exit code, `verdict` where it could be shown.
pub(crate) async fn show(finished: &Finished, output: &Output<'_>, verdict: u8) -> ExitCode {
    let Finished {
        execution,
        summary,
        unaudited,
        undrawn,
    } = finished;
    if let Some(problem) = unaudited {
        say!("warning: the audit trail has no entry of the end: {problem}");
    }
    let place = match undrawn {
        None => Some(report_path(execution, output.out)),
        Some(problem) => {
            let status = execution.status.as_str();
            say!("warning: there is no report: {problem}; the verdict is {status} all the same");
            None
        }
    };
    let told = account(execution, summary, output.show, place.as_deref(), verdict);
    match open_existing(output.out) {
        Ok((stores, _)) => {
            let files = output.files;
            files
                .write_or_say(&stores, execution, summary, place.as_deref())
                .await;
        }
        Err(error) => say!("warning: {error}; no file was written beside"),
    }
    if let Some(place) = place.filter(|_| hints(output.show)) {
        say_led("report:", &place);
    }
    again(output.show, &show_command(&execution.id, output.out));
    told
}

/// Where the report of a run lies on this machine.
pub(crate) fn report_path(execution: &Execution, out: &Path) -> String {
    let key = ExecutionKeys::new(&execution.project, &execution.id).report();
    out.join(key).display().to_string()
}

/// Shows a run in the cloud that has ended; its verdict is the exit code.
pub(crate) async fn conclude_cloud(
    ended: &EndedRun,
    stores: &Stores,
    shown: ShowArgs,
    files: &ReportFiles,
) -> ExitCode {
    let EndedRun { execution, summary } = ended;
    let verdict = execution.exit_code();
    match summary {
        Some(summary) => {
            let command = format!(
                "floodgate report {} --cloud --html report.html",
                execution.id
            );
            let told = account(execution, summary, shown, Some(&command), verdict);
            files
                .write_or_say(stores, execution, summary, Some(&command))
                .await;
            if hints(shown) {
                say_led("report:", &command);
            }
            again(shown, &format!("floodgate show {} --cloud", execution.id));
            told
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
        None if !execution.status.is_final() => format!(
            "{id} of {test} is {status}: its results are there when it has ended (live: floodgate ui)"
        ),
        None => format!("{id} of {test} is {status}: {reasons}"),
    }
}

/// Gives the account of a run. What cannot be written is said, and changes no verdict; but a pass of which nothing could be printed
/// is none that anybody was told. `place`: where the report is.
fn account(
    execution: &Execution,
    summary: &Summary,
    shown: ShowArgs,
    place: Option<&str>,
    verdict: u8,
) -> ExitCode {
    let pipeline = Pipeline::here();
    pipeline.annotate(execution, summary);
    let printed = if shown.json {
        print_summary_json(summary)
    } else {
        print_summary(execution, summary)
    };
    pipeline.sum_up(execution, summary, place);
    match printed {
        Ok(()) => ExitCode::from(verdict),
        Err(error) => {
            say_error(&error);
            say!("the verdict is {}", execution.status.as_str());
            ExitCode::from(match verdict {
                0 => error.exit_code(),
                verdict => verdict,
            })
        }
    }
}

/// Whether a word on what to do next is wanted.
fn hints(shown: ShowArgs) -> bool {
    !shown.quiet && !shown.json
}

fn again(shown: ShowArgs, command: &str) {
    if hints(shown) {
        say_led("show it again:", command);
    }
}

/// The command that shows a run again, from the same working folder.
pub(crate) fn show_command(id: &str, out: &Path) -> String {
    format!("floodgate show {id}{}", place(out))
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
