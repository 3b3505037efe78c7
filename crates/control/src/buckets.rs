//! What a run measured over all of its time, kept for questions over many runs: written once the run has been judged, read by trends.

use crate::error::{ControlError, Result};
use crate::lookup::load_summary;
use crate::stores::Stores;
use floodgate_core::buckets::{day, decode, encode};
use floodgate_core::merge::Totals;
use floodgate_core::shard::{self, Row};
use floodgate_records::execution::Execution;
use floodgate_records::keys::{self, ExecutionKeys};
use floodgate_store::ObjectStore;
use std::time::Duration;

/// Where the table of a run's buckets lies.
pub fn buckets_key(execution: &Execution) -> String {
    let day = day(execution.created_ms);
    keys::buckets(&execution.project, &execution.test, &day, &execution.id)
}

/// Writes the table of a run that has been judged. Its verdict doesn't depend on it: what keeps it from being written is a warning,
/// which is returned.
pub(crate) async fn write(
    objects: &dyn ObjectStore,
    execution: &Execution,
    duration: Duration,
    totals: &Totals,
) -> Option<String> {
    let key = buckets_key(execution);
    let failed = |why: &dyn std::fmt::Display| {
        format!(
            "{key} could not be written, and SQL over runs lacks this one; trends read its merged series instead: {why}"
        )
    };
    match encode(execution, duration, totals) {
        Ok(bytes) => {
            let written = objects.put(&key, bytes.into()).await;
            written.err().map(|error| failed(&error))
        }
        Err(error) => Some(failed(&error)),
    }
}

/// What a run measured of some metrics, of all if none is named: from the table of its buckets, and where there is none that can be
/// read, as for runs of earlier versions, from its merged series. `None` if there is neither.
///
/// # Errors
/// What the store refuses, and merged series that can't be read.
pub async fn load_series(
    stores: &Stores,
    execution: &Execution,
    metrics: &[&str],
) -> Result<Option<Totals>> {
    let objects = stores.objects.as_ref();
    if let Some(table) = objects.get(&buckets_key(execution)).await?
        && let Ok(totals) = decode(&table, &execution.id, metrics)
    {
        return Ok(Some(totals));
    }
    let key = ExecutionKeys::new(&execution.project, &execution.id).merged();
    let Some(merged) = objects.get(&key).await? else {
        return Ok(None);
    };
    // Of a warm-up neither the summary nor the table has anything.
    let summary = load_summary(stores, &execution.project, &execution.id).await?;
    let warmup = summary.and_then(|summary| summary.warmup);
    let warmup_ms = warmup.map_or(0, |warmup| (warmup.seconds * 1e3) as i64);
    let from_ms = execution.started_ms.map_or(0, |start| start + warmup_ms);
    let is_wanted = |row: &Row| {
        let metric = row.key.metric.as_str();
        let judged = warmup_ms == 0 || row.time_ms >= from_ms;
        judged && (metrics.is_empty() || metrics.contains(&metric))
    };
    totals_of(&merged, &is_wanted)
        .map(Some)
        .map_err(|source| ControlError::Corrupt {
            key: objects.place(&key),
            source,
        })
}

fn totals_of(
    merged: &[u8],
    is_wanted: &dyn Fn(&Row) -> bool,
) -> std::result::Result<Totals, Box<dyn std::error::Error + Send + Sync>> {
    let rows = shard::decode(merged)?.rows;
    let mut totals = Totals::new();
    totals.add_windows(rows.iter().filter(|row| is_wanted(row)))?;
    Ok(totals)
}
