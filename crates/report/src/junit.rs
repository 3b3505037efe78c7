//! JUnit XML, which CI systems show as tests: one for each threshold, one for each comparison, and one for the verdict.

use crate::format::number;
use chrono::DateTime;
use floodgate_records::comparison::{Change, Comparison, Gate, IfUndecided};
use floodgate_records::execution::Execution;
use floodgate_records::outcome::{Outcome, ThresholdOutcome};
use floodgate_records::printable::printable;
use floodgate_records::status::Status;
use floodgate_records::summary::Summary;
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};
use std::time::Duration;

/// The report could not be written as XML.
#[derive(Debug, thiserror::Error)]
#[error("junit report: {0}")]
pub struct JunitError(#[from] quick_junit::SerializeError);

/// The run as JUnit XML. A breach is a failure; missing data and every other verdict than passed and failed is an error,
/// so that no reader takes it for a pass; a comparison without an earlier run is skipped. What XML refuses in a name, or a
/// terminal would obey, is shown as its code.
///
/// # Errors
/// [`JunitError`] if the XML cannot be written.
pub fn junit(execution: &Execution, summary: &Summary) -> Result<String, JunitError> {
    let name = format!("{}/{}", summary.project, summary.test);
    let mut suite = TestSuite::new(&*printable(&name));
    let time = Duration::try_from_secs_f64(summary.duration_s).unwrap_or_default();
    let started = summary
        .started_ms
        .and_then(DateTime::from_timestamp_millis)
        .map(|t| t.fixed_offset());
    suite.set_time(time);
    for (name, value) in [
        ("execution", &summary.execution),
        ("version", &summary.version),
        ("engine", &execution.engine.to_string()),
    ] {
        suite.add_property((name, &*printable(value)));
    }
    for t in &execution.thresholds {
        // What every run must hold is not a threshold that its definition has.
        let class = if t.implicit { "implicit" } else { "threshold" };
        suite.add_test_case(case(class, &t.id, of_threshold(t)));
    }
    for b in summary.baseline.iter().flat_map(|b| &b.outcomes) {
        let status = match b.outcome {
            Outcome::Passed => TestCaseStatus::success(),
            Outcome::Failed => non_success(NonSuccessKind::Failure, "baseline", &b.sentence()),
            Outcome::NoData if b.baseline.is_some() => {
                non_success(NonSuccessKind::Error, "no-data", &b.sentence())
            }
            Outcome::NoData => {
                let mut skipped = TestCaseStatus::skipped();
                let why = b.note.clone().unwrap_or_else(|| b.sentence());
                skipped.set_message(&*printable(&why));
                skipped
            }
        };
        suite.add_test_case(case("baseline", &b.id, status));
    }
    if let Some(c) = &summary.comparison {
        for gate in &c.gates {
            suite.add_test_case(case("baseline", &gate.id, of_gate(c, gate)));
        }
    }
    let reasons = summary.reasons.join("; ");
    let verdict = match summary.status {
        Status::Passed => TestCaseStatus::success(),
        Status::Failed => non_success(NonSuccessKind::Failure, "failed", &reasons),
        other => non_success(NonSuccessKind::Error, other.as_str(), &reasons),
    };
    let mut verdict = case("verdict", "verdict", verdict);
    verdict.set_time(time);
    if !summary.warnings.is_empty() {
        verdict.set_system_out(
            summary
                .warnings
                .iter()
                .map(|w| format!("warning: {}\n", printable(w)))
                .collect::<String>(),
        );
    }
    suite.add_test_case(verdict);

    let mut report = Report::new("floodgate");
    report.set_time(time);
    if let Some(started) = started {
        report.set_timestamp(started);
        suite.set_timestamp(started);
    }
    report.add_test_suite(suite);
    Ok(report.to_string()?)
}

fn case(class: &str, name: &str, status: TestCaseStatus) -> TestCase {
    let mut case = TestCase::new(&*printable(name), status);
    case.set_classname(class);
    case
}

fn non_success(kind: NonSuccessKind, what: &str, message: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(kind);
    status.set_type(what).set_message(&*printable(message));
    status
}

/// A gate that decides nothing is what the definition makes of it.
fn of_gate(c: &Comparison, gate: &Gate) -> TestCaseStatus {
    let told = match &gate.note {
        Some(note) => format!("{}: {note}", gate.sentence()),
        None => gate.sentence(),
    };
    match (c.outcome, gate.outcome) {
        (Change::NotComparable, _) | (_, Change::NotComparable) => non_success(
            NonSuccessKind::Error,
            "not-comparable",
            &c.obstacles.join("; "),
        ),
        (_, Change::Improved | Change::Unchanged) => TestCaseStatus::success(),
        (_, Change::Regressed) => non_success(NonSuccessKind::Failure, "baseline", &told),
        (_, Change::Undecided) => match c.undecided {
            Some(IfUndecided::Fail) => non_success(NonSuccessKind::Failure, "undecided", &told),
            Some(IfUndecided::Pass) => {
                let mut skipped = TestCaseStatus::skipped();
                skipped.set_message(&*printable(&told));
                skipped
            }
            _ => non_success(NonSuccessKind::Error, "undecided", &told),
        },
    }
}

fn of_threshold(t: &ThresholdOutcome) -> TestCaseStatus {
    match (t.outcome, t.observed) {
        (Outcome::Passed, _) => TestCaseStatus::success(),
        (Outcome::Failed, observed) => {
            let observed = observed.map_or_else(|| "nothing".to_owned(), |v| number(v, 6));
            let aborted = if t.aborted {
                ", which stopped the run"
            } else {
                ""
            };
            let message = match t.over_time.said() {
                Some(said) => format!("{said}, breaching {}", t.expression),
                None => format!(
                    "observed {} = {observed}, breaching {}{aborted}",
                    t.aggregate, t.expression
                ),
            };
            non_success(NonSuccessKind::Failure, "threshold", &message)
        }
        (Outcome::NoData, _) => non_success(
            NonSuccessKind::Error,
            "no-data",
            &match (t.over_time.said(), t.note.as_deref()) {
                (Some(said), Some(note)) => format!("{said}; {note}"),
                (_, note) => note.unwrap_or("no sample was recorded").to_owned(),
            },
        ),
    }
}
