//! What is found out about the contract.

use crate::exchange::ErrorCode;
use floodgate_contract::Difference;
use std::collections::BTreeSet;

/// The most lines of each kind that are told.
const SHOWN: usize = 20;

/// What was found so far.
#[derive(Default)]
pub(super) struct Ledger {
    called: BTreeSet<String>,
    unknown: BTreeSet<String>,
    /// A line each, in the order of the calls.
    wrong: Vec<String>,
}

/// What it comes to.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::task) struct Findings {
    /// What of the flows was not checked, a sentence each.
    pub(in crate::task) warnings: Vec<String>,
    /// Why there must be no load, a line each; none if all is as it should be.
    pub(in crate::task) refusal: Vec<String>,
}

impl Ledger {
    pub(super) fn unknown(&mut self, request: String) {
        self.unknown.insert(request);
    }

    pub(super) fn unanswered(&mut self, operation: &str, error: ErrorCode) {
        self.called.insert(operation.to_owned());
        let error = error.as_str();
        self.note(format!("{operation}: expected a response, got {error}"));
    }

    pub(super) fn answered(&mut self, operation: &str, differences: Vec<Difference>) {
        self.called.insert(operation.to_owned());
        let lines = differences.iter().map(ToString::to_string);
        lines.for_each(|line| self.note(line));
    }

    /// Operations behind the place were not called, and missing data are no pass.
    pub(super) fn cut_short(&mut self, scenario: &str, why: &str) {
        self.note(format!(
            "scenario {scenario} ended early, so that its later requests were not checked: {why}"
        ));
    }

    fn note(&mut self, line: String) {
        if !self.wrong.contains(&line) {
            self.wrong.push(line);
        }
    }

    /// `used` are the operations that the flows have; `file` is what the document is called.
    pub(super) fn conclude(self, file: &str, used: impl Iterator<Item = String>) -> Findings {
        let unknown = self.unknown.iter().map(|request| {
            format!("contract: {request} is no operation of {file}; its responses are not checked")
        });
        let mut warnings: Vec<_> = some(unknown, "more requests are in no operation");
        let skipped = used.filter(|name| !self.called.contains(name)).map(|name| {
            format!(
                "contract: {name} was not called, as the flow went; its responses are not checked"
            )
        });
        warnings.extend(some(skipped, "more operations were not called"));
        let mut wrong = self.wrong;
        if self.called.is_empty() && wrong.is_empty() {
            let requests: Vec<_> = self.unknown.iter().take(3).cloned().collect();
            wrong.push(format!(
                "no request is an operation of it ({}); compare its servers and paths with target and URLs",
                requests.join(", ")
            ));
        }
        let mut refusal = Vec::new();
        if !wrong.is_empty() {
            let count = wrong.len();
            let s = if count == 1 { "" } else { "s" };
            refusal.push(format!(
                "the target does not keep the contract {file}: {count} difference{s}; no load was sent"
            ));
            refusal.extend(some(wrong.into_iter(), "more differences"));
        }
        Findings { warnings, refusal }
    }
}

/// The first lines, and how many more there are.
fn some(lines: impl Iterator<Item = String>, more: &str) -> Vec<String> {
    let mut lines: Vec<_> = lines.collect();
    let rest = lines.len().saturating_sub(SHOWN);
    lines.truncate(SHOWN);
    if rest > 0 {
        lines.push(format!("{rest} {more}"));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn concluded(ledger: Ledger, used: &[&str]) -> Findings {
        ledger.conclude("api.yaml", used.iter().map(|&name| name.to_owned()))
    }

    #[test]
    fn what_was_not_checked_is_named() {
        let mut ledger = Ledger::default();
        ledger.answered("GET /a", Vec::new());
        ledger.unknown("GET /health".into());
        let found = concluded(ledger, &["GET /a", "GET /b"]);
        assert_eq!(found.refusal, [""; 0]);
        assert_eq!(
            found.warnings,
            [
                "contract: GET /health is no operation of api.yaml; its responses are not checked",
                "contract: GET /b was not called, as the flow went; its responses are not checked",
            ]
        );
    }

    #[test]
    fn nothing_checked_is_no_pass() {
        let mut ledger = Ledger::default();
        ledger.unknown("GET /v2/a".into());
        let found = concluded(ledger, &[]);
        assert!(found.refusal[1].contains("(GET /v2/a)"), "{found:?}");
    }

    #[test]
    fn many_differences_are_some_and_a_number() {
        let mut ledger = Ledger::default();
        (0..50).for_each(|n| ledger.unanswered(&format!("GET /{n}"), ErrorCode::Timeout));
        ledger.unanswered("GET /7", ErrorCode::Timeout);
        let found = concluded(ledger, &[]);
        assert!(found.refusal[0].contains(": 50 differences;"), "{found:?}");
        assert_eq!(found.refusal.len(), 22);
        assert_eq!(found.refusal[21], "30 more differences");
    }
}
