//! A run whose end could not be written, as on a disk that stays full.

use crate::clock::now_ms;
use crate::error::CliError;
use floodgate_control::{ControlError, Prepared, Stores, find, give_up};
use floodgate_core::keys::ExecutionKeys;
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
    for again in 1..=TRIES {
        if give_up(stores, &plan.project, &plan.execution, &why, now_ms())
            .await
            .is_ok()
        {
            return error;
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
        problem: error.to_string(),
        id: plan.execution.clone(),
        status,
    }
}
