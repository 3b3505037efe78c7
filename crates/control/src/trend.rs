//! The numbers of a test over its last runs.

use crate::earlier::unread;
use crate::error::Result;
use crate::lookup::load_summary;
use crate::stores::Stores;
use floodgate_core::baseline::BaselineMetric;
use floodgate_core::drift::{self, PastRun, Sensitivity};
use floodgate_records::execution::Execution;
use floodgate_records::status::Status;
use floodgate_records::summary::Summary;
use floodgate_records::trend::Trend;
use futures_util::stream::{self, StreamExt};

/// Summaries that are read at a time.
const AHEAD: usize = 16;

/// Follows a test over its last runs, at most `most`: those that passed or failed, since the data of others can't be trusted. `metrics` says
/// which numbers, given the runs. Runs that can't be read are left out, and named.
///
/// # Errors
/// What the store refuses.
pub async fn trend(
    stores: &Stores,
    project: &str,
    test: &str,
    most: usize,
    metrics: impl FnOnce(&[PastRun]) -> Vec<BaselineMetric>,
    sensitivity: &Sensitivity,
) -> Result<Trend> {
    // Runs that were stopped or could not run take none of the places.
    let listed = stores
        .records
        .list(Some(project), Some(test), most.saturating_mul(2));
    let listed = listed.await?;
    let mut ended = listed.runs;
    ended.retain(|run| matches!(run.status, Status::Passed | Status::Failed));
    ended.truncate(most);
    ended.reverse();
    let (mut runs, mut left_out) = (Vec::new(), listed.damaged);
    let read = ended.into_iter().map(|run| account(stores, run));
    let mut read = stream::iter(read).buffered(AHEAD);
    while let Some((execution, summary)) = read.next().await {
        match summary {
            Ok(Some(summary)) => runs.push(PastRun { execution, summary }),
            Ok(None) => left_out.push(format!("{} has no summary here", execution.id)),
            Err(error) => left_out.push(unread(&execution.id, error)?),
        }
    }
    let metrics = metrics(&runs);
    let name = format!("{project}/{test}");
    Ok(Trend {
        left_out,
        ..drift::trend(&name, &runs, &metrics, sensitivity)
    })
}

async fn account(stores: &Stores, run: Execution) -> (Execution, Result<Option<Summary>>) {
    let summary = load_summary(stores, &run.project, &run.id).await;
    (run, summary)
}
