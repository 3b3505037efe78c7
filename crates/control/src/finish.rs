//! From shards and manifests to a verdict, once; a second time gives the same.

use crate::audit::{audit, principal};
use crate::buckets;
use crate::budget;
use crate::collect::{Collected, collect, load_parts};
use crate::compared::Compared;
use crate::course;
use crate::error::{ControlError, Result, Uncompiled};
use crate::failures::merge_failures;
use crate::figures::write_figures;
use crate::json;
use crate::lookup::load_summary;
use crate::observed;
use crate::stop::read_stop;
use crate::stores::Stores;
use floodgate_core::capacity;
use floodgate_core::course::Course;
use floodgate_core::definition::model::Definition;
use floodgate_core::execution::applied::{
    applied_load, has_requests, silent_scenarios, start_skew_us,
};
use floodgate_core::execution::summarise::{Conclusion, Finished as Evidence, conclude};
use floodgate_core::merge::Totals;
use floodgate_core::threshold::{MetricSource, Thresholds};
use floodgate_records::audit::Action;
use floodgate_records::capacity::{CapacityControl, CapacitySummary};
use floodgate_records::control::{Start, Stop};
use floodgate_records::execution::{Completeness, Execution};
use floodgate_records::failure::{FailureCounts, FailureLog};
use floodgate_records::keys::ExecutionKeys;
use floodgate_records::manifest::Manifest;
use floodgate_records::metric::Builtin;
use floodgate_records::plan::Plan;
use floodgate_records::status::Status;
use floodgate_records::summary::Summary;
use floodgate_records::unwritten::Unwritten;
use floodgate_store::{ObjectStore, StoreError};
use std::collections::BTreeSet;
use std::time::Duration;

/// A task that will write no manifest, as far as its starter could see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LostTask {
    /// The task.
    pub task: u32,
    /// Goes on from "task N is lost: it".
    pub reason: String,
}

/// A run that is over.
#[derive(Clone, Debug, PartialEq)]
pub struct Finished {
    /// Its final record.
    pub execution: Execution,
    /// The published account.
    pub summary: Summary,
    /// Why the audit trail has no entry of the end, if it has none.
    pub unaudited: Option<String>,
    /// Why there is nothing to draw a report from, if there is nothing.
    pub undrawn: Option<String>,
}

/// What the caller of [`finish_with`] knows of a run beside what is stored.
#[derive(Default)]
pub struct Closing<'a> {
    /// Tasks that will write no manifest.
    pub lost: &'a [LostTask],
    /// What kept the run from being carried out, a sentence each; any makes it `errored`.
    pub errors: &'a [String],
    /// Whether the shards were merged in parts before; see [`crate::collect::plan_parts`].
    pub in_parts: bool,
    /// Adds to the record what only the end tells: cost, where it ran. It is called once, before the verdict.
    pub settle: Option<Settle<'a>>,
    /// What its tasks could not write into the store, and where it lies.
    pub unwritten: &'a [Unwritten],
    /// Whether a run that has ended is merged again if something was not merged then ([`Execution::is_due`]). Its verdict stands.
    pub late: bool,
}

/// See [`Closing::settle`].
pub type Settle<'a> = &'a (dyn Fn(&mut Execution, &Measured<'_>) + Send + Sync);

/// What was measured, as far as the record's cost depends on it.
#[derive(Clone, Copy, Debug)]
pub struct Measured<'a> {
    /// The manifests that could be read.
    pub manifests: &'a [Manifest],
    /// Expected against received.
    pub completeness: &'a Completeness,
}

/// [`finish_with`] for a run on one machine.
///
/// # Errors
/// As for [`finish_with`].
pub async fn finish(
    stores: &Stores,
    plan: &Plan,
    definition: &Definition,
    lost: &[LostTask],
    errors: &[String],
    now_ms: i64,
) -> Result<Finished> {
    let closing = Closing {
        lost,
        errors,
        ..Closing::default()
    };
    // boxed: its future is large, and callers have more than one
    Box::pin(finish_with(stores, plan, definition, &closing, now_ms)).await
}

/// Merges what the tasks wrote, judges it, and writes `merged.parquet`, the table of buckets, `summary.json` and the final record. Whoever
/// calls it again, or at the same time, gets the same: a final record is never changed.
///
/// # Errors
/// What the store refuses, and a record, plan or summary that cannot be read. Shards and manifests that cannot be read
/// are part of the verdict, not errors.
pub async fn finish_with(
    stores: &Stores,
    plan: &Plan,
    definition: &Definition,
    closing: &Closing<'_>,
    now_ms: i64,
) -> Result<Finished> {
    let mut execution = stored(stores, plan).await?;
    let stands = match execution.status.is_final() {
        true if closing.late && execution.is_due() => Some(Stands::of(&mut execution)),
        true => return finished_before(stores, execution).await,
        false => None,
    };
    if stands.is_none() {
        execution.status = Status::Merging;
        match stores.records.update(&execution, &Status::OPEN).await {
            Ok(()) => {}
            Err(StoreError::Conflict { .. }) => {
                return finished_before(stores, stored(stores, plan).await?).await;
            }
            Err(error) => return Err(error.into()),
        }
    }
    let keys = ExecutionKeys::new(&plan.project, &plan.execution);
    let objects = stores.objects.as_ref();
    let mut errors = closing.errors.to_vec();
    let stop = order_that_stood(objects, &keys, &mut errors).await?;
    if execution.started_ms.is_none() {
        // Whoever set the start may have ended before it stood in the record.
        let start = json::get::<Start>(objects, &keys.start()).await;
        execution.started_ms = start.ok().flatten().map(|start| start.start_ms);
    }
    let parts = if closing.in_parts {
        load_parts(objects, &keys).await?
    } else {
        Vec::new()
    };
    let collected = collect(objects, plan, execution.started_ms, &parts).await?;
    note_lost(&mut execution, closing.lost, &collected);
    note_unwritten(&mut execution, closing.unwritten);
    execution.stopped_by = stop;
    execution.start_skew_us = start_skew_us(&collected.manifests);
    if let Some(settle) = closing.settle {
        let measured = Measured {
            manifests: &collected.manifests,
            completeness: &collected.completeness,
        };
        settle(&mut execution, &measured);
    }
    let failures = failures_of(objects, &keys, &mut execution).await;
    let (conclusion, judged) =
        judge(stores, definition, &mut execution, &collected, &errors).await?;
    let Conclusion {
        verdict,
        thresholds,
        mut summary,
    } = conclusion;
    execution.capacity.clone_from(&summary.capacity);
    summary.traced = failures.traced();
    summary.failures = failures.summary(keys.failures());
    execution.failures = summary.failures.as_ref().map(FailureCounts::from);
    execution.status = verdict.status;
    execution.reasons = verdict.reasons;
    execution.warnings = verdict.warnings;
    execution.thresholds = thresholds;
    execution.comparison.clone_from(&summary.comparison);
    execution.completeness = Some(summary.completeness.clone());
    execution.applied = Some(summary.applied.clone());
    execution.ended_ms = Some(ended_ms(&collected, now_ms));
    execution.unmerged = false;
    let (expected, action) = match stands {
        Some(stands) => (stands.restore(&mut execution, &mut summary), Action::Merge),
        None => (Status::Merging, Action::Finish),
    };
    // Only now: it says how the run ended. It has what the summary is of.
    let totals = judged.as_ref().unwrap_or(&collected.totals);
    let warning = buckets::write(objects, &execution, summary.judged(), totals).await;
    execution.warnings.extend(warning.clone());
    summary.warnings.extend(warning);
    let key = keys.summary();
    objects.put(&key, json::bytes(&key, &summary)?).await?;
    stores.records.update(&execution, &[expected]).await?;
    let outcome = execution.status.as_str();
    let by = principal(&execution).to_owned();
    // The verdict stands, whatever becomes of the account and of the trail. What is not settled is when somebody needs the room.
    let _ = budget::settle(stores, &execution).await;
    let audited = audit(stores, &execution, &by, action, outcome, now_ms).await;
    let unaudited = audited.err().map(|error| error.to_string());
    // boxed: it is large
    let drawn = Box::pin(write_figures(stores, &execution, &summary, definition)).await;
    Ok(Finished {
        execution,
        summary,
        unaudited,
        undrawn: drawn.err().map(|error| error.to_string()),
    })
}

/// What was said of a run when it ended: whoever acted on it is not contradicted by what is merged later.
struct Stands {
    status: Status,
    reasons: Vec<String>,
    ended_ms: Option<i64>,
}

impl Stands {
    fn of(execution: &mut Execution) -> Self {
        let id = execution.id.clone();
        for left in std::mem::take(&mut execution.unwritten) {
            let said = left.sentence(&id);
            execution.warnings.retain(|warning| *warning != said);
        }
        Self {
            status: execution.status,
            reasons: execution.reasons.clone(),
            ended_ms: execution.ended_ms,
        }
    }

    /// Puts the verdict back; returns its status.
    fn restore(self, execution: &mut Execution, summary: &mut Summary) -> Status {
        (execution.status, summary.status) = (self.status, self.status);
        summary.reasons.clone_from(&self.reasons);
        execution.reasons = self.reasons;
        execution.ended_ms = self.ended_ms.or(execution.ended_ms);
        // Most were said before.
        let mut said = BTreeSet::new();
        execution
            .warnings
            .retain(|warning| said.insert(warning.clone()));
        summary.warnings.clone_from(&execution.warnings);
        self.status
    }
}

async fn stored(stores: &Stores, plan: &Plan) -> Result<Execution> {
    let found = stores.records.get(Some(&plan.project), &plan.execution);
    found.await?.ok_or_else(|| ControlError::UnknownExecution {
        id: plan.execution.clone(),
        nearest: None,
    })
}

/// The order to stop, if there is one. One that cannot be read is an order all the same: what was measured is merged, and errored.
async fn order_that_stood(
    objects: &dyn ObjectStore,
    keys: &ExecutionKeys,
    errors: &mut Vec<String>,
) -> Result<Option<Stop>> {
    match read_stop(objects, keys).await {
        Err(error @ ControlError::Corrupt { .. }) => {
            errors.push(format!("the order to stop cannot be read: {error}"));
            Ok(None)
        }
        other => other,
    }
}

/// The samples of failures: they explain a verdict; without them there is one all the same.
async fn failures_of(
    objects: &dyn ObjectStore,
    keys: &ExecutionKeys,
    execution: &mut Execution,
) -> FailureLog {
    let mut warnings = Vec::new();
    let failures = merge_failures(objects, keys, &mut warnings).await;
    let failures = failures.unwrap_or_else(|error| {
        warnings.push(format!("samples of failures are left out: {error}"));
        FailureLog::new()
    });
    execution.warnings.append(&mut warnings);
    failures
}

async fn finished_before(stores: &Stores, execution: Execution) -> Result<Finished> {
    // Whoever ended it may have been cut off before.
    let _ = budget::settle(stores, &execution).await;
    let summary = load_summary(stores, &execution.project, &execution.id).await?;
    let key = || ExecutionKeys::new(&execution.project, &execution.id).summary();
    let missing = ControlError::Missing {
        key: key(),
        consequence: "the run ended before there was anything to sum up",
    };
    Ok(Finished {
        summary: summary.ok_or(missing)?,
        execution,
        unaudited: None,
        undrawn: None,
    })
}

/// When the last task ended; the time of the call if none says.
fn ended_ms(collected: &Collected, now_ms: i64) -> i64 {
    collected
        .manifests
        .iter()
        .map(|m| m.ended_ms)
        .max()
        .unwrap_or(now_ms)
}

fn note_lost(execution: &mut Execution, lost: &[LostTask], collected: &Collected) {
    let really = |l: &&LostTask| collected.completeness.tasks_lost.contains(&l.task);
    let sentences = lost
        .iter()
        .filter(really)
        .map(|l| format!("task {} is lost: it {}", l.task, l.reason));
    execution
        .warnings
        .extend(sentences.chain(collected.warnings.iter().cloned()));
}

fn note_unwritten(execution: &mut Execution, unwritten: &[Unwritten]) {
    let id = &execution.id;
    let sentences = unwritten.iter().map(|left| left.sentence(id));
    execution.warnings.extend(sentences);
    execution.unwritten = unwritten.to_vec();
}

/// The conclusion, and what it is of if not of all that was measured.
async fn judge(
    stores: &Stores,
    definition: &Definition,
    execution: &mut Execution,
    collected: &Collected,
    errors: &[String],
) -> Result<(Conclusion, Option<Totals>)> {
    let unusable = |faults| ControlError::Definition {
        source: Uncompiled(faults).into(),
    };
    let thresholds = Thresholds::of(definition).map_err(unusable)?;
    let course = course::of(stores, definition, &thresholds, execution, collected).await?;
    let compared = Compared::of(definition, stores, execution, collected);
    // boxed: it is large, and seldom
    let compared = Box::pin(compared).await?;
    execution.warnings.extend(compared.warnings);
    let planned = execution.planned.iterations;
    let source: &dyn MetricSource = &collected.totals;
    let judged = course.as_ref().and_then(Course::judged);
    let capacity = sought(stores, definition, execution).await?;
    let keys = ExecutionKeys::new(&execution.project, &execution.id);
    let lacking = observed::lacking(stores.objects.as_ref(), &keys, definition, collected).await;
    execution.warnings.extend(lacking.sentences);
    let applied = applied_load(
        &collected.manifests,
        source,
        planned,
        execution.stopped_by.is_some(),
    );
    let conclusion = conclude(&Evidence {
        execution,
        source: judged.map_or(source, |judged| judged),
        duration: collected.duration,
        warmup: judged.map_or(Duration::ZERO, |_| definition.warmup),
        course: course.as_ref(),
        completeness: collected.completeness.clone(),
        manifests: &collected.manifests,
        thresholds: &thresholds,
        baseline: compared
            .tolerance
            .as_ref()
            .map(|(b, earlier)| (b, earlier.as_ref())),
        comparison: compared.comparison.as_ref(),
        compared_metrics: &compared.metrics,
        baseline_missing: &compared.missing,
        capacity,
        tolerance: definition.run.tolerance,
        min_applied_load: definition.run.min_applied_load,
        min_completed_load: definition.run.min_completed_load,
        expects_requests: expects_requests(definition, source),
        silent_scenarios: silent_scenarios(definition, source, applied.interrupted_iterations),
        applied,
        unobserved: &lacking.unjudged,
        stop: execution.stopped_by.as_ref(),
        errors,
    });
    Ok((conclusion, judged.cloned()))
}

/// What a search for the capacity found; `None` if the definition asks for none.
async fn sought(
    stores: &Stores,
    definition: &Definition,
    execution: &Execution,
) -> Result<Option<CapacitySummary>> {
    if definition.capacity.is_none() {
        return Ok(None);
    }
    let key = ExecutionKeys::new(&execution.project, &execution.id).capacity();
    let control: Option<CapacityControl> = json::get(stores.objects.as_ref(), &key).await?;
    Ok(capacity::conclude(definition, &control.unwrap_or_default()))
}

/// A run of the native engine without a request step sends none. What a script is to send is not known: requests, unless it measured
/// something else, such as another protocol, a check or a metric of its own.
fn expects_requests(definition: &Definition, source: &dyn MetricSource) -> bool {
    if !definition.engine.runs_scripts() {
        return definition.scenarios.iter().any(|s| has_requests(&s.flow));
    }
    let measured = source.metrics();
    measured
        .iter()
        .all(|(name, _)| Builtin::parse(name).is_some_and(|metric| metric != Builtin::Checks))
}
