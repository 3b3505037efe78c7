//! What the report of a run is drawn from: computed once from the merged data, and kept beside the summary.

use crate::error::{ControlError, Result};
use crate::json;
use crate::stores::Stores;
use floodgate_core::definition::model::Definition;
use floodgate_core::figures::{FiguresBuilder, definition_text, planned_starts};
use floodgate_core::shard::RowGroups;
use floodgate_records::execution::Execution;
use floodgate_records::figures::Figures;
use floodgate_records::keys::{DEFINITION_FILE, ExecutionKeys, definition_file};
use floodgate_records::summary::Summary;
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
    let mut figures = figures_of(stores, execution, summary).await?;
    figures.load.planned = planned_starts(definition, figures.fine);
    let key = ExecutionKeys::new(&execution.project, &execution.id).figures();
    Ok(json::put_compact(stores.objects.as_ref(), &key, &figures).await?)
}

/// The figures of a run: those that were written at its end or, of a run by an earlier version, what its merged data gives.
///
/// # Errors
/// What the store refuses, and an object that cannot be read.
pub async fn load_figures(
    stores: &Stores,
    execution: &Execution,
    summary: &Summary,
) -> Result<Figures> {
    let key = ExecutionKeys::new(&execution.project, &execution.id).figures();
    let stored: Option<Figures> = json::get(stores.objects.as_ref(), &key).await?;
    match stored.filter(|figures| figures.schema == Figures::SCHEMA) {
        Some(figures) => Ok(figures),
        None => figures_of(stores, execution, summary).await,
    }
}

async fn figures_of(stores: &Stores, execution: &Execution, summary: &Summary) -> Result<Figures> {
    let objects = stores.objects.as_ref();
    let key = ExecutionKeys::new(&execution.project, &execution.id).merged();
    let mut figures = match objects.get(&key).await? {
        Some(merged) => {
            let groups = RowGroups::open(merged).map_err(|error| corrupt(&key, error))?;
            added_up(groups, summary).map_err(|source| ControlError::Corrupt {
                key: key.clone(),
                source,
            })?
        }
        // Nothing was merged: that is all there is to see.
        None => {
            let start_ms = summary.started_ms.unwrap_or_default();
            let nothing = FiguresBuilder::new(summary, start_ms, start_ms).finish();
            nothing.map_err(|error| corrupt(&key, error))?
        }
    };
    let (project, test) = (&execution.project, &execution.test);
    let key = definition_file(project, test, &execution.version, DEFINITION_FILE);
    let stored = objects.get(&key).await?;
    figures.definition = stored.and_then(|stored| definition_text(&stored));
    Ok(figures)
}

fn added_up(
    mut groups: RowGroups,
    summary: &Summary,
) -> std::result::Result<Figures, Box<dyn Error + Send + Sync>> {
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

fn corrupt(key: &str, error: impl Error + Send + Sync + 'static) -> ControlError {
    ControlError::Corrupt {
        key: key.to_owned(),
        source: error.into(),
    }
}
