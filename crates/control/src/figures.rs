//! What the report of a run is drawn from: computed once from the merged data, and kept beside the summary.

use crate::error::{ControlError, Result};
use crate::json;
use crate::stores::Stores;
use bytes::Bytes;
use floodgate_core::definition::model::Definition;
use floodgate_core::definition::{LeftOpen, Overrides, Source, parse};
use floodgate_core::figures::{FiguresBuilder, definition_text, planned_starts};
use floodgate_core::shard::RowGroups;
use floodgate_records::execution::Execution;
use floodgate_records::figures::Figures;
use floodgate_records::keys::{DEFINITION_FILE, ExecutionKeys, definition_file};
use floodgate_records::summary::Summary;
use floodgate_store::json::JsonError;
use serde_json::Value;
use std::error::Error;

/// Computes the figures of a run that is merged, and writes them.
///
/// # Errors
/// What the store refuses, and merged data that cannot be read.
pub(crate) async fn write_figures(
    stores: &Stores,
    execution: &Execution,
    summary: &Summary,
    definition: &Definition,
) -> Result<()> {
    let (mut figures, _) = figures_of(stores, execution, summary).await?;
    figures.load.planned = planned_starts(definition, figures.fine);
    let key = ExecutionKeys::new(&execution.project, &execution.id).figures();
    Ok(json::put_compact(stores.objects.as_ref(), &key, &figures).await?)
}

/// The figures of a run: those that were written at its end. Where they are gone, damaged, or by an earlier version, what its merged data gives;
/// that is written if the store takes it.
///
/// # Errors
/// What the store refuses, and merged data that cannot be read.
pub async fn load_figures(
    stores: &Stores,
    execution: &Execution,
    summary: &Summary,
) -> Result<Figures> {
    let objects = stores.objects.as_ref();
    let key = ExecutionKeys::new(&execution.project, &execution.id).figures();
    let stored: Option<Figures> = match json::get(objects, &key).await {
        Err(JsonError::Malformed { .. }) => None,
        found => found?,
    };
    let is_later = stored.as_ref().is_some_and(|f| f.schema > Figures::SCHEMA);
    if let Some(figures) = stored.filter(|figures| figures.schema == Figures::SCHEMA) {
        return Ok(figures);
    }
    let (mut figures, stored) = figures_of(stores, execution, summary).await?;
    let definition = stored.as_deref().map_or(Schedule::Unknown, schedule);
    if let Schedule::Known(definition) = &definition {
        figures.load.planned = planned_starts(definition, figures.fine);
    }
    // What was planned is not lost for whoever knows it.
    if !is_later && !matches!(definition, Schedule::Open) {
        let _ = json::put_compact(objects, &key, &figures).await;
    }
    Ok(figures)
}

/// The figures but for what was planned, and the definition as it is stored.
async fn figures_of(
    stores: &Stores,
    execution: &Execution,
    summary: &Summary,
) -> Result<(Figures, Option<Bytes>)> {
    let objects = stores.objects.as_ref();
    let key = ExecutionKeys::new(&execution.project, &execution.id).merged();
    let mut figures = match objects.get(&key).await? {
        Some(merged) => {
            let damaged = |source| ControlError::Corrupt {
                key: objects.place(&key),
                source,
            };
            added_up(merged, summary).map_err(damaged)?
        }
        // Nothing was merged: that is all there is to see.
        None => {
            let start_ms = summary.started_ms.unwrap_or_default();
            let nothing = FiguresBuilder::new(summary, start_ms, start_ms).finish();
            nothing.map_err(|error| ControlError::Corrupt {
                key: objects.place(&key),
                source: error.into(),
            })?
        }
    };
    let (project, test) = (&execution.project, &execution.test);
    let key = definition_file(project, test, &execution.version, DEFINITION_FILE);
    let stored = objects.get(&key).await?;
    figures.definition = stored.as_deref().and_then(definition_text);
    Ok((figures, stored))
}

/// What a stored definition says of when iterations start.
enum Schedule {
    Known(Box<Definition>),
    /// It depends on what references stood for when the run began.
    Open,
    /// There is no definition that could be read.
    Unknown,
}

fn schedule(stored: &[u8]) -> Schedule {
    let Ok(mut json) = serde_json::from_slice::<Value>(stored) else {
        return Schedule::Unknown;
    };
    let scenarios = json["scenarios"].as_object_mut().into_iter().flatten();
    for scenario in scenarios.filter_map(|(_, scenario)| scenario.as_object_mut()) {
        // What iterations do does not decide when they start.
        scenario.remove("flow");
    }
    let text = json["scenarios"].to_string();
    let outside = |text: &str| text.contains("${env:") || text.contains("${secret:");
    if outside(&text) || (text.contains("${param:") && outside(&json["parameters"].to_string())) {
        return Schedule::Open;
    }
    let source = Source {
        name: DEFINITION_FILE,
        text: stored,
    };
    let parsed = parse(&source, &Overrides::default(), &LeftOpen);
    parsed.map_or(Schedule::Unknown, |parsed| {
        Schedule::Known(Box::new(parsed.definition))
    })
}

fn added_up(
    merged: Bytes,
    summary: &Summary,
) -> std::result::Result<Figures, Box<dyn Error + Send + Sync>> {
    let mut groups = RowGroups::open(merged)?;
    let (start_ms, end_ms) = (groups.meta().start_ms, groups.meta().end_ms);
    let start_ms = summary.started_ms.unwrap_or(start_ms);
    let mut builder = FiguresBuilder::new(summary, start_ms, end_ms);
    let mut rows = Vec::new();
    while groups.read(&mut rows)? {
        for row in &rows {
            builder.add(row)?;
        }
        builder.seal();
    }
    Ok(builder.finish()?)
}
