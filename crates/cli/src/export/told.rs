//! What is said of an export.

use crate::output::{counted, say};
use floodgate_export::{Report, Target};
use floodgate_records::execution::Execution;

/// What became of an export.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    /// Where it went.
    pub(crate) url: String,
    /// What was delivered.
    pub(crate) report: Report,
    /// Samples that were counted in `name=__other__` for it.
    pub(crate) folded: u64,
    /// Why it did not come to its end, if it did not.
    pub(crate) broken: Option<String>,
}

impl Told {
    /// Nothing has been delivered to a target.
    pub(crate) fn new(target: &Target) -> Self {
        Self {
            url: target.to_string(),
            report: Report::default(),
            folded: 0,
            broken: None,
        }
    }

    /// What is wrong, if anything is: goes on from the URL.
    pub(crate) fn problem(&self) -> Option<String> {
        let Report { taken, lost, .. } = self.report;
        let mut reasons = self.report.problems.clone();
        reasons.extend(self.broken.clone());
        match (lost, reasons.is_empty()) {
            (0, true) => None,
            (0, false) => Some(reasons.join("; ")),
            (lost, true) => Some(format!("lacks {lost} of {}", rows(taken + lost))),
            (lost, false) => {
                let (all, why) = (rows(taken + lost), reasons.join("; "));
                Some(format!("lacks {lost} of {all}: {why}"))
            }
        }
    }
}

/// `1 row`, `2 rows`.
pub(crate) fn rows(n: u64) -> String {
    counted(n, "row")
}

/// Says on stderr what exports did not get, and how to repeat them.
pub(crate) fn warn(execution: &Execution, all: &[Told]) {
    for told in all {
        let url = &told.url;
        if let Some(problem) = told.problem() {
            let id = &execution.id;
            say!(
                "warning: export to {url} {problem}; the run and its verdict are not affected; again: floodgate export {id} --to '{url}'"
            );
        }
        if told.folded > 0 {
            let folded = counted(told.folded, "sample");
            say!(
                "warning: export to {url}: {folded} of series past max_series counted in name=__other__"
            );
        }
    }
}
