//! The report of a run, beside its summary.

use floodgate_control::{Finished, Stores, load_figures};
use floodgate_records::execution::Execution;
use floodgate_records::keys::ExecutionKeys;
use floodgate_records::summary::Summary;

/// The page of a run, made from what is stored of it.
///
/// # Errors
/// Why it cannot be made, a sentence.
pub(crate) async fn page(
    stores: &Stores,
    execution: &Execution,
    summary: &Summary,
) -> Result<String, String> {
    let figures = load_figures(stores, execution, summary).await;
    let figures = figures.map_err(|error| error.to_string())?;
    floodgate_report::html(execution, summary, &figures).map_err(|error| error.to_string())
}

/// Writes the page of a run that has just ended. That it cannot be written changes nothing of the verdict.
pub(crate) async fn with_page(stores: &Stores, mut finished: Finished) -> Finished {
    if finished.undrawn.is_none() {
        let written = write_page(stores, &finished.execution, &finished.summary).await;
        finished.undrawn = written.err();
    }
    finished
}

/// Writes the page of a run.
///
/// # Errors
/// Why it cannot be written, a sentence.
pub(crate) async fn write_page(
    stores: &Stores,
    execution: &Execution,
    summary: &Summary,
) -> Result<(), String> {
    let page = page(stores, execution, summary).await?;
    let key = ExecutionKeys::new(&execution.project, &execution.id).report();
    let written = stores.objects.put(&key, page.into()).await;
    written.map_err(|error| error.to_string())
}
