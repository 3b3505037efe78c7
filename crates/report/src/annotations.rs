//! Commands to GitHub Actions that show a line beside the code that is reviewed
//! (<https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands>).

use crate::conclusion::conclusion;
use floodgate_records::execution::{Execution, TriggerKind};
use floodgate_records::printable::printable;
use floodgate_records::status::Status;
use floodgate_records::summary::Summary;

/// The most annotations of a kind that GitHub shows of a step.
const MOST: usize = 10;

/// Why a run did not pass, an error each, then its warnings. Of a run that passed, the warnings alone.
pub fn annotations(execution: &Execution, summary: &Summary) -> String {
    let test = format!("{}/{}", summary.project, summary.test);
    let title = format!("Floodgate: {test} {}", summary.status.as_str());
    let reasons = conclusion(execution, summary).reasons;
    let mut lines = String::new();
    // A hit gates nothing.
    if summary.status != Status::Passed && execution.trigger.kind != TriggerKind::Hit {
        for reason in reasons.iter().take(MOST) {
            lines += &command("error", &title, reason);
        }
    }
    for warning in summary.warnings.iter().take(MOST) {
        lines += &command("warning", &format!("Floodgate: {test}"), warning);
    }
    lines
}

fn command(level: &str, title: &str, message: &str) -> String {
    let title = escaped(title).replace(':', "%3A").replace(',', "%2C");
    format!("::{level} title={title}::{}\n", escaped(message))
}

/// One line, whatever is in the text, with no command in it.
fn escaped(text: &str) -> String {
    printable(text).replace('%', "%25")
}
