//! The numbers of a test over its last runs.

use crate::buckets::load_series;
use crate::earlier::unread;
use crate::error::Result;
use crate::lookup::load_summary;
use crate::stores::Stores;
use floodgate_core::baseline::BaselineMetric;
use floodgate_core::drift::{self, PastRun, Sensitivity};
use floodgate_records::execution::Execution;
use floodgate_records::metric::Builtin;
use floodgate_records::status::Status;
use floodgate_records::summary::Summary;
use floodgate_records::trend::Trend;
use futures_util::stream::{self, StreamExt};
use std::collections::BTreeMap;

/// Summaries that are read at a time.
const AHEAD: usize = 16;
/// Tables of series that are read at a time.
const FEW: usize = 4;

/// Follows a test over its last runs, at most `most`: those that passed or failed, since the data of others can't be trusted. `metrics` says
/// which numbers, given the runs: those that a summary lacks are worked out from what the run measured. Runs that can't be read are left out,
/// and named.
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
            Ok(Some(summary)) => runs.push(PastRun::new(execution, summary)),
            Ok(None) => left_out.push(format!("{} has no summary here", execution.id)),
            Err(error) => left_out.push(unread(&execution.id, error)?),
        }
    }
    let metrics = metrics(&runs);
    let notes = measure(stores, &mut runs, &metrics).await?;
    let name = format!("{project}/{test}");
    Ok(Trend {
        left_out,
        notes,
        ..drift::trend(&name, &runs, &metrics, sensitivity)
    })
}

async fn account(stores: &Stores, run: Execution) -> (Execution, Result<Option<Summary>>) {
    let summary = load_summary(stores, &run.project, &run.id).await;
    (run, summary)
}

/// What was found of a run: numbers, and why there is no number, by id.
type Found = (BTreeMap<String, f64>, Vec<String>);

/// Works out the numbers that summaries lack; says why runs have none of them, a sentence each.
async fn measure(
    stores: &Stores,
    runs: &mut [PastRun],
    metrics: &[BaselineMetric],
) -> Result<Vec<String>> {
    let one = |run| measure_one(stores, run, metrics);
    let read: Vec<_> = runs.iter().map(one).collect();
    let found: Vec<Result<Found>> = stream::iter(read).buffered(FEW).collect().await;
    let mut why: BTreeMap<String, (String, usize)> = BTreeMap::new();
    for (run, found) in runs.iter_mut().zip(found) {
        let (measured, sentences) = found?;
        run.measured = measured;
        for sentence in sentences {
            let first = || (run.execution.id.clone(), 0);
            why.entry(sentence).or_insert_with(first).1 += 1;
        }
    }
    let told = |(sentence, (first, n)): (String, (String, usize))| match n {
        1 => format!("{first}: {sentence}"),
        n => format!("{n} runs from {first} on: {sentence}"),
    };
    Ok(why.into_iter().map(told).collect())
}

async fn measure_one(stores: &Stores, run: &PastRun, metrics: &[BaselineMetric]) -> Result<Found> {
    let (mut measured, mut why) = (BTreeMap::new(), Vec::new());
    let lacking: Vec<_> = metrics.iter().filter(|m| run.value(m).is_none()).collect();
    if lacking.is_empty() {
        return Ok((measured, why));
    }
    let mut names: Vec<&str> = lacking.iter().map(|m| m.key.metric.as_str()).collect();
    // Whether anything was measured at all: only then is a counter that nothing was added to known to be zero.
    let untagged = lacking.iter().any(|m| m.key.tags.0.is_empty());
    let any = untagged.then_some([Builtin::HttpReqs.name(), Builtin::Iterations.name()]);
    names.extend(any.into_iter().flatten());
    let series = match load_series(stores, &run.execution, &names).await {
        Ok(Some(series)) => series,
        Ok(None) => {
            why.push("what it measured is not here, only its summary".into());
            return Ok((measured, why));
        }
        Err(error) => {
            why.push(unread("what it measured", error)?);
            return Ok((measured, why));
        }
    };
    for metric in lacking {
        match run.measure(&series, metric) {
            Ok(value) => {
                measured.insert(metric.id(), value);
            }
            Err(sentence) => why.push(format!("{}: {sentence}", metric.id())),
        }
    }
    Ok((measured, why))
}
