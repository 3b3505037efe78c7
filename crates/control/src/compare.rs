//! Comparing two runs that have ended.

use crate::error::{ControlError, Result};
use crate::lookup::load_summary;
use crate::stores::Stores;
use floodgate_core::compare::{self, Account, Measured, Run, Terms, obstacles};
use floodgate_core::shard::{Row, decode};
use floodgate_records::comparison::Comparison;
use floodgate_records::execution::Execution;
use floodgate_records::keys::ExecutionKeys;
use floodgate_records::status::Status;
use floodgate_records::summary::Summary;

/// Earlier runs that are asked by how much runs of the test differ anyway: more say little more, and each is read whole.
const MOST_HISTORY: usize = 10;
/// Records that are looked through for them.
const AMONG: usize = 200;

/// A run with what it measured.
struct Loaded {
    execution: Execution,
    summary: Summary,
    rows: Vec<Row>,
}

impl Loaded {
    fn account(&self) -> Account<'_> {
        Account {
            execution: &self.execution,
            generators: &self.summary.generators,
        }
    }

    fn measured(&self) -> Measured<'_> {
        Measured {
            rows: &self.rows,
            start_ms: self.execution.started_ms.unwrap_or_default(),
            duration_s: self.summary.duration_s,
        }
    }

    fn run(&self) -> Run<'_> {
        Run {
            account: self.account(),
            measured: self.measured(),
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
    let (base, head) = (load(stores, base).await?, load(stores, head).await?);
    let history = history(stores, &base, &head).await?;
    let history: Vec<_> = history.iter().map(Loaded::measured).collect();
    Ok(compare::compare(base.run(), head.run(), &history, terms))
}

async fn load(stores: &Stores, execution: Execution) -> Result<Loaded> {
    let keys = ExecutionKeys::new(&execution.project, &execution.id);
    let missing = |key: String| ControlError::Missing {
        key,
        consequence: "a run that measured nothing, or has not ended, can't be compared",
    };
    let summary = load_summary(stores, &execution.project, &execution.id).await?;
    let summary = summary.ok_or_else(|| missing(keys.summary()))?;
    let merged = stores.objects.get(&keys.merged()).await?;
    let merged = merged.ok_or_else(|| missing(keys.merged()))?;
    let shard = decode(&merged).map_err(|error| ControlError::Corrupt {
        key: keys.merged(),
        source: error.into(),
    })?;
    Ok(Loaded {
        rows: shard.rows,
        execution,
        summary,
    })
}

/// Runs of the kind of `base` that passed, other than the two, the newest first.
async fn history(stores: &Stores, base: &Loaded, head: &Loaded) -> Result<Vec<Loaded>> {
    let of = &base.execution;
    let listed = stores
        .records
        .list(Some(&of.project), Some(&of.test), AMONG)
        .await?;
    let mut found = Vec::new();
    let others = listed.runs.into_iter().filter(|run| {
        run.status == Status::Passed
            && run.version == of.version
            && run.id != of.id
            && run.id != head.execution.id
    });
    for run in others {
        if found.len() == MOST_HISTORY {
            break;
        }
        match load(stores, run).await {
            Ok(run) if obstacles(base.account(), run.account()).is_empty() => found.push(run),
            Ok(_) => {}
            Err(ControlError::Store(error)) if error.is_temporary() => return Err(error.into()),
            Err(_) => {}
        }
    }
    Ok(found)
}
