//! Comparing two runs that have ended.

use crate::earlier::{passed_before, passed_over};
use crate::error::{ControlError, Result};
use crate::lookup::load_summary;
use crate::stores::Stores;
use floodgate_core::baseline::BaselineMetric;
use floodgate_core::compare::{self, Account, Against, MIN_RUNS, Measured, Run, Terms, obstacles};
use floodgate_core::shard::{Row, decode};
use floodgate_records::comparison::Comparison;
use floodgate_records::execution::Execution;
use floodgate_records::keys::ExecutionKeys;
use floodgate_records::summary::GeneratorSummary;
use futures_util::stream::{self, StreamExt};

/// Earlier runs that are asked by how much runs of the test differ anyway: more say little more, and each is read whole.
const MOST_HISTORY: usize = 10;
/// Runs that are read at a time: each is in memory whole while its windows are added up.
const FEW: usize = 2;

/// A run with what it measured of the numbers that are compared.
pub(crate) struct Loaded {
    pub(crate) execution: Execution,
    pub(crate) generators: Vec<GeneratorSummary>,
    pub(crate) measured: Measured,
}

impl Loaded {
    pub(crate) fn account(&self) -> Account<'_> {
        Account {
            execution: &self.execution,
            generators: &self.generators,
        }
    }

    pub(crate) fn run(&self) -> Run<'_> {
        Run {
            account: self.account(),
            measured: &self.measured,
        }
    }
}

/// Compares `head` with `base`. Earlier runs of the same kind that passed say by how much runs differ anyway; one that can't be read is left out.
///
/// # Errors
/// A run of the two that has no summary or no merged data, and what the store refuses.
pub async fn compare(
    stores: &Stores,
    base: Execution,
    head: Execution,
    terms: &Terms,
) -> Result<Comparison> {
    let base = load(stores, base, &terms.metrics).await?;
    let head = load(stores, head, &terms.metrics).await?;
    let others = passed_before(stores, &head.execution).await?;
    let history = history(stores, others, &base, terms).await?;
    let against = Against::One(base.run(), &history);
    Ok(compare::compare(against, head.run(), terms))
}

/// Reads a run and keeps its windows.
pub(crate) async fn load(
    stores: &Stores,
    execution: Execution,
    metrics: &[BaselineMetric],
) -> Result<Loaded> {
    let keys = ExecutionKeys::new(&execution.project, &execution.id);
    let summary = load_summary(stores, &execution.project, &execution.id).await?;
    let summary = summary.ok_or_else(|| missing(keys.summary()))?;
    let warmup_s = summary.warmup.map_or(0.0, |warmup| warmup.seconds);
    let judged = Judged::of(execution.started_ms, summary.duration_s, warmup_s);
    Ok(Loaded {
        measured: measured(stores, &keys, judged, metrics).await?,
        generators: summary.generators,
        execution,
    })
}

/// The windows of a run whose merged data is written.
pub(crate) async fn measured(
    stores: &Stores,
    keys: &ExecutionKeys,
    judged: Judged,
    metrics: &[BaselineMetric],
) -> Result<Measured> {
    let rows = merged_rows(stores, keys).await?;
    let Judged { from_ms, seconds } = judged;
    Ok(Measured::of(&rows, from_ms, seconds, metrics))
}

/// When what is compared of a run was.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Judged {
    /// Its beginning, Unix ms.
    pub(crate) from_ms: i64,
    /// How long it took.
    pub(crate) seconds: f64,
}

impl Judged {
    /// All of a run after its warm-up, from the next whole window on.
    pub(crate) fn of(start_ms: Option<i64>, duration_s: f64, warmup_s: f64) -> Self {
        let window_s = f64::from(compare::WINDOW_S);
        let from_s = (warmup_s / window_s).ceil() * window_s;
        Self {
            from_ms: start_ms.unwrap_or_default() + (from_s * 1e3) as i64,
            seconds: (duration_s - from_s).max(0.0),
        }
    }
}

/// What a run measured, as it was merged.
pub(crate) async fn merged_rows(stores: &Stores, keys: &ExecutionKeys) -> Result<Vec<Row>> {
    let merged = stores.objects.get(&keys.merged()).await?;
    let merged = merged.ok_or_else(|| missing(keys.merged()))?;
    let shard = decode(&merged).map_err(|error| ControlError::Corrupt {
        key: stores.objects.place(&keys.merged()),
        source: error.into(),
    })?;
    Ok(shard.rows)
}

fn missing(key: String) -> ControlError {
    ControlError::Missing {
        key,
        consequence: "a run that measured nothing, or has not ended, can't be compared",
    }
}

/// What runs of the kind of `base`, other than itself, measured; nothing if they are too few to say anything.
pub(crate) async fn history(
    stores: &Stores,
    others: Vec<Execution>,
    base: &Loaded,
    terms: &Terms,
) -> Result<Vec<Measured>> {
    let mut alike = alike(others, &base.execution);
    alike.retain(|run| run.id != base.execution.id);
    if alike.len() < MIN_RUNS {
        return Ok(Vec::new());
    }
    let (found, _) = load_some(stores, alike, MOST_HISTORY, &terms.metrics).await?;
    let same = |run: &Loaded| obstacles(base.account(), run.account()).is_empty();
    let found = found.into_iter().filter(same);
    Ok(found.map(|run| run.measured).collect())
}

/// The runs that can be compared with one, as far as records tell.
pub(crate) fn alike(runs: Vec<Execution>, with: &Execution) -> Vec<Execution> {
    let same = |run: &Execution| differences(run, with).is_empty();
    runs.into_iter().filter(same).collect()
}

/// Why two runs can't be compared, as far as records tell.
pub(crate) fn differences(base: &Execution, head: &Execution) -> Vec<String> {
    let [base, head] = [base, head].map(|execution| Account {
        execution,
        generators: &[],
    });
    obstacles(base, head)
}

/// Reads runs in their order until there are so many, and says of those that cannot be read why.
///
/// # Errors
/// What may be asked again.
pub(crate) async fn load_some(
    stores: &Stores,
    runs: Vec<Execution>,
    most: usize,
    metrics: &[BaselineMetric],
) -> Result<(Vec<Loaded>, Vec<String>)> {
    let ids: Vec<String> = runs.iter().map(|run| run.id.clone()).collect();
    let read = runs.into_iter().map(|run| load(stores, run, metrics));
    let mut read = stream::iter(read).buffered(FEW.min(most));
    let (mut found, mut unreadable) = (Vec::new(), Vec::new());
    for id in ids {
        if found.len() == most {
            break;
        }
        match read.next().await {
            Some(Ok(run)) => found.push(run),
            Some(Err(error)) => unreadable.push(passed_over(&id, error)?),
            None => break,
        }
    }
    Ok((found, unreadable))
}
