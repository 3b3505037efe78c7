//! Finish: the verdict, the record, the bill.

use crate::app::App;
use crate::clock::between;
use crate::cost::{observed_until, site};
use crate::error::{Result, bounded};
use crate::export;
use crate::figures;
use crate::launch::by_capacity;
use crate::launched::LaunchedTasks;
use crate::notify;
use crate::resolve;
use crate::run::{Run, RunPhase};
use crate::stack_config::{SPOT, StackConfig};
use crate::supervisor::{load_run, load_state};
use floodgate_control::watch::WatchState;
use floodgate_control::{
    Closing, Finished, Measured, finish_with, load_figures, note_order, read_stop,
};
use floodgate_core::cost;
use floodgate_notify::Moment;
use floodgate_records::control::StopReason;
use floodgate_records::execution::Execution;
use floodgate_records::keys::ExecutionKeys;
use std::collections::BTreeMap;

/// Bytes of the reasons in the cause of a state machine's end at most.
const MAX_REASONS: usize = 2_000;

/// Judges a run.
pub(crate) async fn handle(app: &App, run: Run) -> Result<Run> {
    let app = &app.of(&run.execution);
    let began_ms = app.clock.now_ms();
    let objects = app.stores.objects.as_ref();
    let loaded = load_run(app, &run.project, &run.execution).await?;
    let keys = ExecutionKeys::new(&loaded.plan.project, &loaded.plan.execution);
    let definition = resolve::stored(objects, &loaded.plan).await?;
    let placement = StackConfig::load(objects).await?;
    let placed = LaunchedTasks::load(objects, &keys).await?;
    let state = load_state(app, &keys).await?;
    let stop = read_stop(objects, &keys).await?;

    let mut errors: Vec<String> = run.error.iter().cloned().collect();
    let order = stop.clone();
    let failure = stop.filter(|s| s.reason == StopReason::Error);
    errors.extend(
        failure
            .map(|s| s.by)
            .filter(|by| run.error.as_ref() != Some(by)),
    );
    if let (true, Some(failed)) = (placed.tasks.is_empty(), placed.failed.first()) {
        errors.push(format!(
            "no task was placed: task {} {}",
            failed.task, failed.reason
        ));
    }
    let lost = state
        .as_ref()
        .map(WatchState::lost_tasks)
        .unwrap_or_default();

    let settle = |execution: &mut Execution, measured: &Measured<'_>| {
        let spot = by_capacity(&placed).get(SPOT).copied();
        execution.infrastructure.spot_tasks = spot.unwrap_or(0);
        let ends: BTreeMap<u32, i64> = measured
            .manifests
            .iter()
            .map(|m| (m.task, m.ended_ms))
            .collect();
        let mut seen = observed_until(&placed, execution.started_ms, began_ms, |task| {
            ends.get(&task).copied()
        });
        seen.watched = run.watched();
        seen.shards = Some(measured.completeness.shards_expected);
        let bytes = measured
            .manifests
            .iter()
            .flat_map(|m| &m.shards)
            .map(|s| s.bytes);
        seen.shard_bytes = Some(bytes.sum());
        let site = site(app, &placement, execution);
        let bill = cost::so_far(&loaded.plan, &definition.run, &site, &seen);
        execution.cost = Some(bill.as_actual(execution.cost.as_ref()));
        execution.warnings.extend(bill.warnings);
    };
    let closing = Closing {
        lost: &lost,
        errors: &errors,
        in_parts: run.parts > 0,
        settle: Some(&settle),
        ..Closing::default()
    };
    // Who ordered it could not note it.
    let ordered = order.filter(|order| order.reason == StopReason::Person);
    if let (Some(order), false) = (&ordered, loaded.execution.status.is_final()) {
        note_order(&app.stores, &loaded.execution, order).await?;
    }
    let now_ms = app.clock.now_ms();
    let finished = finish_with(&app.stores, &loaded.plan, &definition, &closing, now_ms).await?;
    if let Err(reason) = write_page(app, &finished).await {
        tracing::warn!(reason, "report not written");
    }
    tell(app, &run, &finished.execution, began_ms).await;
    if let Some(namespace) = &placement.run_metrics_namespace {
        let at_ms = finished.execution.ended_ms.unwrap_or(now_ms);
        let stack = &app.config.stack;
        figures::emit(&app.out, namespace, stack, at_ms, &finished.summary);
    }
    if !definition.notify.is_empty() {
        notify::later(app, &run.project, &run.execution, Moment::Ended).await;
    }
    let execution = finished.execution;
    let urls = export::urls(&placement, &definition);
    export::begin(app, &execution, urls).await;
    let passed = execution.status.error_name().is_none();
    Ok(Run {
        phase: RunPhase::Ended,
        wait_s: 0,
        status: Some(execution.status),
        error: (!passed).then(|| bounded(execution.reasons.join("; "), MAX_REASONS)),
        ..run
    })
}

/// Writes the report beside the summary; the verdict stands, whatever becomes of it.
async fn write_page(app: &App, finished: &Finished) -> std::result::Result<(), String> {
    let Finished {
        execution,
        summary,
        undrawn,
        ..
    } = finished;
    if let Some(reason) = undrawn {
        return Err(reason.clone());
    }
    let figures = load_figures(&app.stores, execution, summary).await;
    let figures = figures.map_err(|error| error.to_string())?;
    let page = floodgate_report::html(execution, summary, &figures);
    let page = page.map_err(|error| error.to_string())?;
    let key = ExecutionKeys::new(&execution.project, &execution.id).report();
    let written = app.stores.objects.put(&key, page.into()).await;
    written.map_err(|error| error.to_string())
}

/// What becomes of a run outside of its record. Nothing of it may keep the verdict from being told.
async fn tell(app: &App, run: &Run, execution: &Execution, began_ms: i64) {
    let cost = execution.cost.clone().unwrap_or_default();
    let status = execution.status.as_str();
    let reasons = execution.reasons.join("; ");
    tracing::info!(status, reasons, turns = run.turn, "finished");
    let metrics = app
        .metrics(&run.project)
        .status(status)
        .count("Executions", 1);
    let metrics = match execution.status.error_name() {
        Some(_) => metrics.count("ExecutionsNotPassed", 1),
        None => metrics.count("ExecutionsNotPassed", 0),
    };
    metrics
        .seconds(
            "FinishSeconds",
            between(began_ms, app.clock.now_ms()).as_secs_f64(),
        )
        .amount("EstimatedCostUsd", cost.estimate_usd.unwrap_or(0.0))
        .amount("ActualCostUsd", cost.actual_usd.unwrap_or(0.0))
        .emit();
}
