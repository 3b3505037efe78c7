//! What the tasks of a run could only leave in the folder for temporary files comes into the store before the run is finished.

use super::layout;
use super::page::with_page;
use crate::clock::now_ms;
use crate::output::say;
use floodgate_control::{Closing, Finished, Home, LostTask, Result, Stores, finish_with};
use floodgate_core::definition::model::Definition;
use floodgate_records::keys::ExecutionKeys;
use floodgate_records::plan::Plan;
use floodgate_records::unwritten::Unwritten;
use floodgate_store::local::LocalStore;
use std::path::Path;

/// Brings home what lies beside the store, and says so; returns what has to stay where it is.
pub(super) async fn bring_home(stores: &Stores, plan: &Plan) -> Vec<Unwritten> {
    let Home {
        brought,
        left,
        problem,
    } = quietly(stores, plan).await;
    let place = plan.spool.as_deref().unwrap_or_default();
    if brought > 0 {
        let files = if brought == 1 { "file" } else { "files" };
        say!("{brought} {files} that could not be written before brought in from {place}");
    }
    if let Some(problem) = problem {
        say!("warning: what was measured stays in part in {place}: {problem}");
    }
    left
}

/// The same without a word.
pub(super) async fn quietly(stores: &Stores, plan: &Plan) -> Home {
    let Some(place) = plan.spool.as_deref() else {
        return Home::default();
    };
    if !Path::new(place).is_dir() {
        return Home::default();
    }
    let failed = |error: String| Home {
        problem: Some(error),
        ..Home::default()
    };
    let beside = match LocalStore::open(place) {
        Ok(beside) => beside,
        Err(error) => return failed(error.to_string()),
    };
    let objects = stores.objects.as_ref();
    let home = floodgate_control::bring_home(&beside, objects, plan, place).await;
    beside.tidy(ExecutionKeys::new(&plan.project, &plan.execution).root());
    home.unwrap_or_else(|error| failed(error.to_string()))
}

/// Brings home what lies beside the store, and finishes the run. `root` is the folder of the store.
///
/// # Errors
/// As for [`finish_with`].
pub(crate) async fn finish_here(
    stores: &Stores,
    root: &Path,
    plan: &Plan,
    definition: &Definition,
    lost: &[LostTask],
    errors: &[String],
) -> Result<Finished> {
    let unwritten = bring_home(stores, plan).await;
    let mut errors = errors.to_vec();
    let keys = ExecutionKeys::new(&plan.project, &plan.execution);
    errors.extend(layout::faults(root, &keys));
    let closing = Closing {
        lost,
        errors: &errors,
        unwritten: &unwritten,
        ..Closing::default()
    };
    // boxed: their futures are large
    let finishing = Box::pin(finish_with(stores, plan, definition, &closing, now_ms()));
    let finished = finishing.await?;
    Ok(Box::pin(with_page(stores, finished)).await)
}
