//! A run whose end could not be written, as on a disk that stays full.

use super::home::quietly;
use crate::clock::now_ms;
use crate::error::CliError;
use floodgate_control::{ControlError, GivenUp, Prepared, Stores, find, give_up};
use floodgate_records::keys::ExecutionKeys;
use floodgate_records::unwritten::Unwritten;
use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

/// How often the record is tried.
const TRIES: u32 = 5;
/// Between two tries.
const PAUSE: Duration = Duration::from_millis(500);

/// Ends the record as errored, and gives back the error to report: the first one, and where the record could not be
/// ended either, what state it is left in.
pub(super) async fn end(
    stores: &Stores,
    prepared: &Prepared,
    out: &Path,
    error: CliError,
) -> CliError {
    if matches!(&error, CliError::Control(ControlError::Definition { .. })) {
        // Nothing is wrong with the store; the run can be judged once its definition can.
        return error;
    }
    let plan = &prepared.plan;
    let folder = out.join(ExecutionKeys::new(&plan.project, &plan.execution).root());
    let why = format!(
        "the run could not be finished: {error}; what was measured lies unmerged in {}",
        folder.display()
    );
    let left = quietly(stores, plan).await.left;
    let given_up = GivenUp {
        why: &why,
        unmerged: true,
        unwritten: &left,
    };
    for again in 1..=TRIES {
        let (project, id) = (&plan.project, &plan.execution);
        if let Ok(execution) = give_up(stores, project, id, given_up, now_ms()).await {
            return match execution.is_due() {
                true => CliError::Unmerged {
                    source: Box::new(error),
                    id: id.clone(),
                    beside: beside(&left),
                },
                false => error,
            };
        }
        if again < TRIES {
            tokio::time::sleep(PAUSE).await;
        }
    }
    let status = match find(stores, &plan.execution).await {
        Ok(execution) => execution.status.as_str(),
        Err(_) => "nothing that can be read",
    };
    CliError::Unfinished {
        source: Box::new(error),
        id: plan.execution.clone(),
        status,
        beside: beside(&left),
    }
}

/// Where the rest lies, as words that go on after a sentence.
fn beside(left: &[Unwritten]) -> String {
    let folders: BTreeSet<_> = left.iter().map(|left| left.folder.as_str()).collect();
    let folders: Vec<_> = folders.into_iter().collect();
    match folders.is_empty() {
        true => String::new(),
        false => format!(", also what lies in {}", folders.join(", ")),
    }
}
