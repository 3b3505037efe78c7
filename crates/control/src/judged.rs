//! The comparison that a definition asks for, when its run has been merged.

use crate::collect::Collected;
use crate::compare::{
    Judged as WhenJudged, Loaded, alike, differences, history, load, load_some, measured,
};
use crate::earlier::{Candidates, candidates, gone, passed_before, passed_over};
use crate::error::{ControlError, Result};
use crate::stores::Stores;
use floodgate_core::compare::{self, Against, MIN_RUNS, Terms};
use floodgate_core::definition::model::BaselineRef;
use floodgate_core::execution::summarise::generators;
use floodgate_records::comparison::Comparison;
use floodgate_records::execution::Execution;
use floodgate_records::keys::ExecutionKeys;

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Judged {
    /// The comparison; `None` if there is nothing to compare with.
    pub(crate) comparison: Option<Comparison>,
    /// Why there is nothing although there should be, a sentence each.
    pub(crate) missing: Vec<String>,
    /// What a reader should know.
    pub(crate) warnings: Vec<String>,
}

impl Judged {
    fn missing(why: String) -> Self {
        Self {
            missing: vec![why],
            ..Self::default()
        }
    }

    fn nothing_yet(warning: String) -> Self {
        Self {
            warnings: vec![warning],
            ..Self::default()
        }
    }
}

/// Compares a run, whose merged data is written, with the one or those that the definition means. What cannot be read of others must not
/// take the account of this one with it.
///
/// # Errors
/// What may be asked again, and merged data of this run that cannot be read.
pub(crate) async fn judged(
    stores: &Stores,
    reference: &BaselineRef,
    terms: &Terms,
    execution: &Execution,
    (collected, warmup_s): (&Collected, f64),
) -> Result<Judged> {
    let keys = ExecutionKeys::new(&execution.project, &execution.id);
    let seconds = collected.duration.as_secs_f64();
    let of = WhenJudged::of(execution.started_ms, seconds, warmup_s);
    let head = Loaded {
        execution: execution.clone(),
        generators: generators(&collected.manifests),
        measured: measured(stores, &keys, of, &terms.metrics).await?,
    };
    match candidates(stores, reference, execution).await? {
        Candidates::Named(id) => with_named(stores, &id, &head, terms).await,
        Candidates::Passed(runs) => {
            let several = match reference {
                BaselineRef::Rolling(runs) => Some(*runs as usize),
                _ => None,
            };
            with_passed(stores, runs, several, &head, terms).await
        }
        Candidates::Missing(why) => Ok(Judged::missing(why)),
    }
}

async fn with_named(stores: &Stores, id: &str, head: &Loaded, terms: &Terms) -> Result<Judged> {
    let project = Some(head.execution.project.as_str());
    let found = match stores.records.get(project, id).await {
        Ok(Some(base)) => load(stores, base, &terms.metrics).await,
        Ok(None) => return Ok(Judged::missing(gone(id))),
        Err(error) => Err(error.into()),
    };
    let base = match found {
        Ok(base) => base,
        Err(ControlError::Missing { .. }) => return Ok(Judged::missing(gone(id))),
        Err(error) => return Ok(Judged::missing(passed_over(id, error)?)),
    };
    // Runs that can't be listed say nothing of how much runs differ.
    let others = match passed_before(stores, &head.execution).await {
        Ok(others) => others,
        Err(error) => {
            passed_over("earlier runs", error)?;
            Vec::new()
        }
    };
    let history = history(stores, others, &base, terms).await?;
    Ok(Judged {
        comparison: Some(compare::compare(
            Against::One(base.run(), &history),
            head.run(),
            terms,
        )),
        ..Judged::default()
    })
}

/// Compares with the newest of some runs that passed, or with as many of them as are wanted together.
async fn with_passed(
    stores: &Stores,
    runs: Vec<Execution>,
    several: Option<usize>,
    head: &Loaded,
    terms: &Terms,
) -> Result<Judged> {
    let Some(newest) = runs.first().cloned() else {
        let first = "there is no earlier run to compare with yet; the first one that passes becomes the baseline";
        return Ok(Judged::nothing_yet(first.to_owned()));
    };
    let alike = alike(runs, &head.execution);
    if alike.is_empty() {
        return Ok(Judged::nothing_yet(of_another_kind(
            &newest,
            &head.execution,
        )));
    }
    let enough = alike.len() > MIN_RUNS;
    let most = match several {
        Some(several) if alike.len() >= MIN_RUNS => several,
        _ => 1,
    };
    let others = alike.clone();
    let (found, unreadable) = load_some(stores, alike, most, &terms.metrics).await?;
    let Some(base) = found.first() else {
        return Ok(Judged {
            missing: unreadable,
            ..Judged::default()
        });
    };
    let comparison = if found.len() >= MIN_RUNS {
        let account = base.account();
        let together: Vec<_> = found.iter().map(|run| run.measured.clone()).collect();
        compare::compare(Against::Several(account, &together), head.run(), terms)
    } else {
        let history = match enough {
            true => history(stores, others, base, terms).await?,
            false => Vec::new(),
        };
        compare::compare(Against::One(base.run(), &history), head.run(), terms)
    };
    Ok(Judged {
        comparison: Some(comparison),
        missing: Vec::new(),
        warnings: unreadable,
    })
}

/// What is said where runs have passed, but none that this one can be compared with. Were it no pass, no run of a test that was changed could
/// ever become the baseline of the next one.
fn of_another_kind(newest: &Execution, head: &Execution) -> String {
    format!(
        "not comparable with any run before it, so there is no comparison yet: the last run that passed, {}, is of another kind ({}); \
         the first one of this kind that passes becomes the baseline",
        newest.id,
        differences(newest, head).join("; ")
    )
}
