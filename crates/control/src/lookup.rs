//! Finding runs again.

use crate::error::{ControlError, Result};
use crate::json;
use crate::stores::Stores;
use floodgate_records::execution::Execution;
use floodgate_records::keys::ExecutionKeys;
use floodgate_records::plan::Plan;
use floodgate_records::summary::Summary;
use floodgate_store::StoreError;

/// Records that are looked through for an id that resembles a misspelt one.
const NEAREST_AMONG: usize = 200;

/// The record of a run by its id or a unique prefix of it.
///
/// # Errors
/// [`ControlError::UnknownExecution`] with the id that resembles it most, and what the store refuses.
pub async fn find(stores: &Stores, id: &str) -> Result<Execution> {
    find_in(stores, None, id).await
}

/// The same among the runs of one project: nothing is asked about any other.
///
/// # Errors
/// As for [`find`].
pub async fn find_in(stores: &Stores, project: Option<&str>, id: &str) -> Result<Execution> {
    match stores.records.get(project, id).await {
        Ok(Some(execution)) => return Ok(execution),
        // No execution has an id that cannot be a name.
        Ok(None) | Err(StoreError::BadKey { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    let known = stores.records.list(project, None, NEAREST_AMONG).await?;
    Err(ControlError::UnknownExecution {
        id: id.to_owned(),
        nearest: nearest(id, &known.runs),
    })
}

/// The id with the longest beginning or end in common: ids are long, and are cut or mistyped rather than misspelt.
fn nearest(id: &str, known: &[Execution]) -> Option<String> {
    let wanted = id.to_uppercase();
    let common = |candidate: &str| {
        let start = wanted
            .bytes()
            .zip(candidate.bytes())
            .take_while(|(a, b)| a == b)
            .count();
        let end = wanted
            .bytes()
            .rev()
            .zip(candidate.bytes().rev())
            .take_while(|(a, b)| a == b)
            .count();
        start.max(end)
    };
    let best = known.iter().max_by_key(|e| common(&e.id))?;
    (common(&best.id) >= 4).then(|| best.id.clone())
}

/// The plan of a run.
///
/// # Errors
/// A plan that is missing or cannot be read.
pub async fn load_plan(stores: &Stores, execution: &Execution) -> Result<Plan> {
    let key = ExecutionKeys::new(&execution.project, &execution.id).plan();
    json::need(
        stores.objects.as_ref(),
        key,
        "the run was never prepared to its end",
    )
    .await
}

/// The summary of a run; `None` while there is none.
///
/// # Errors
/// A summary that cannot be read.
pub async fn load_summary(stores: &Stores, project: &str, id: &str) -> Result<Option<Summary>> {
    let key = ExecutionKeys::new(project, id).summary();
    Ok(json::get(stores.objects.as_ref(), &key).await?)
}
