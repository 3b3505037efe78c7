//! The merged windows of a run that has ended.

use crate::ExportError;
use floodgate_control::{Stores, load_series};
use floodgate_core::shard::RowGroups;
use floodgate_export::{Delivery, End, Report, Windows};
use floodgate_records::execution::Execution;
use floodgate_records::keys::ExecutionKeys;
use floodgate_records::manifest::Manifest;
use floodgate_records::summary::Summary;
use std::collections::BTreeSet;
use std::error::Error;

/// What becomes of windows that begin before a time (Unix ms), which were handed over while the run went on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Earlier {
    /// They went through the same windows and the same sink.
    Left(i64),
    /// They went through others: these take note of them.
    Skipped(i64),
}

impl Earlier {
    /// There are none.
    pub(crate) const NONE: Self = Self::Left(i64::MIN);
}

/// Hands over all windows but earlier ones. `false` if nothing was merged.
///
/// A shard that was late has left a second row of the same series and window, in another row group than the first. So the file is read
/// twice: first to see which windows come up again, then to hand over each as soon as it cannot.
///
/// # Errors
/// What the store refuses, and data that cannot be read.
pub(crate) async fn deliver(
    stores: &Stores,
    execution: &Execution,
    windows: &mut Windows,
    earlier: Earlier,
    delivery: &mut Delivery,
) -> Result<bool, ExportError> {
    let key = ExecutionKeys::new(&execution.project, &execution.id).merged();
    let Some(file) = stores.objects.get(&key).await? else {
        return Ok(false);
    };
    let corrupt = |error: &dyn Error| ExportError::Corrupt {
        key: stores.objects.place(&key),
        why: error.to_string(),
    };
    let mut groups = RowGroups::open(file.clone()).map_err(|e| corrupt(&e))?;
    let mut rows = Vec::new();
    let mut starts = Vec::new();
    while groups.read(&mut rows).map_err(|e| corrupt(&e))? {
        let first = rows.iter().map(|row| row.time_ms).min();
        starts.push(first.unwrap_or(i64::MAX));
    }
    // What is yet to come after each group begins at or after this time.
    let mut earliest = i64::MAX;
    for start in starts.iter_mut().rev() {
        (earliest, *start) = (earliest.min(*start), earliest);
    }
    let (from_ms, skipped_ms) = match earlier {
        Earlier::Left(until_ms) => (until_ms, i64::MIN),
        Earlier::Skipped(until_ms) => (i64::MIN, until_ms),
    };
    let mut groups = RowGroups::open(file).map_err(|e| corrupt(&e))?;
    for until_ms in starts {
        groups.read(&mut rows).map_err(|e| corrupt(&e))?;
        for row in rows.iter().filter(|row| row.time_ms >= from_ms) {
            windows.add(row);
        }
        // One at a time: histograms take much more memory here than in the file.
        while let Some(start_ms) = windows.first_open().filter(|start| *start < until_ms) {
            let rows = windows.close(start_ms + 1).map_err(|e| corrupt(&e))?;
            if start_ms < skipped_ms {
                delivery.skip(&rows);
                continue;
            }
            delivery.push(rows);
            delivery.flush().await;
        }
    }
    delivery.push(windows.finish().map_err(|e| corrupt(&e))?);
    delivery.flush_all().await;
    Ok(true)
}

/// Ends an export, with what the run measured as a whole.
pub(crate) async fn conclude(
    stores: &Stores,
    execution: &Execution,
    summary: Option<&Summary>,
    delivery: Delivery,
) -> Report {
    // Without them the sink has the windows, and says nothing of the whole.
    let totals = load_series(stores, execution, &[]).await.ok().flatten();
    let end = End {
        execution,
        summary,
        totals: totals.as_ref(),
        complete: false,
    };
    delivery.finish(end).await
}

/// Metrics of a run's own whose values are times, as its tasks say. One that cannot be read says nothing.
pub(crate) async fn durations(stores: &Stores, execution: &Execution) -> BTreeSet<String> {
    let keys = ExecutionKeys::new(&execution.project, &execution.id);
    let mut durations = BTreeSet::new();
    let listed = stores.objects.list(&keys.manifests_prefix()).await;
    for info in listed.unwrap_or_default() {
        let object = stores.objects.get(&info.key).await.ok().flatten();
        let manifest = object.and_then(|json| serde_json::from_slice::<Manifest>(&json).ok());
        durations.extend(manifest.into_iter().flat_map(|manifest| manifest.durations));
    }
    durations
}
