//! What a comparison by intervals does to the verdict.

use floodgate_records::comparison::{Change, Comparison, Gate, IfUndecided};

/// What the definition says of comparisons that decide nothing.
fn if_undecided(c: &Comparison) -> IfUndecided {
    c.undecided.unwrap_or(IfUndecided::Inconclusive)
}

/// Why the run fails, a sentence each.
pub(super) fn breached(c: &Comparison) -> Vec<String> {
    let of = |outcome| c.gates.iter().filter(move |gate| gate.outcome == outcome);
    match c.outcome {
        Change::Regressed => of(Change::Regressed)
            .map(|gate| format!("worse than the baseline: {}", gate.sentence()))
            .collect(),
        Change::Undecided if if_undecided(c) == IfUndecided::Fail => undecided(c),
        _ => Vec::new(),
    }
}

/// Why nothing is shown, a sentence each.
pub(super) fn not_shown(c: &Comparison) -> Vec<String> {
    match c.outcome {
        Change::NotComparable => {
            let said = |why: &String| {
                format!(
                    "not comparable with the baseline {}: {why}",
                    c.base.execution
                )
            };
            c.obstacles.iter().map(said).collect()
        }
        Change::Undecided if if_undecided(c) == IfUndecided::Inconclusive => undecided(c),
        _ => Vec::new(),
    }
}

/// What is undecided and may be, a sentence each.
pub(super) fn doubts(c: &Comparison) -> Vec<String> {
    match c.outcome {
        Change::Undecided if if_undecided(c) == IfUndecided::Pass => undecided(c),
        _ => Vec::new(),
    }
}

/// Whether the run is shown to be no worse.
pub(super) fn holds(c: &Comparison) -> bool {
    matches!(c.outcome, Change::Improved | Change::Unchanged)
}

fn undecided(c: &Comparison) -> Vec<String> {
    let said = |gate: &Gate| {
        let note = gate
            .note
            .as_ref()
            .map_or_else(String::new, |note| format!(": {note}"));
        format!("undecided against the baseline: {}{note}", gate.sentence())
    };
    let gates = c
        .gates
        .iter()
        .filter(|gate| gate.outcome == Change::Undecided);
    gates.map(said).collect()
}
