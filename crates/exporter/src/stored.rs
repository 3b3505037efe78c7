//! The export of a run that has ended.

use crate::ExportError;
use crate::merged::{self, Earlier};
use crate::told::Told;
use floodgate_control::{Stores, load_summary};
use floodgate_export::windows::Options;
use floodgate_export::{Delivery, Patience, Run, Target, Windows, schemes};
use floodgate_records::execution::Execution;

/// Hands over everything that a run measured, as patient as `patience` says; after a live export that has
/// [delivered](crate::Live::delivered) what began before a time, what began since.
///
/// # Errors
/// A target whose options are not valid, and what was measured not being here.
pub async fn export_stored(
    stores: &Stores,
    execution: &Execution,
    target: &Target,
    patience: Patience,
    after_ms: Option<i64>,
) -> Result<Told, ExportError> {
    let mut options = Options::of(target)?;
    options.origin_ms = execution.started_ms.unwrap_or(execution.created_ms);
    options.durations = merged::durations(stores, execution).await;
    let testid = target.option("testid").unwrap_or(&execution.id);
    let run = Run {
        execution: execution.clone(),
        testid: testid.to_owned(),
        live: after_ms.is_some(),
    };
    let summary = load_summary(stores, &execution.project, &execution.id).await?;
    let sink = schemes::open(target, &run)?;
    let mut delivery = Delivery::new(sink, patience);
    let mut windows = Windows::new(options);
    let earlier = after_ms.map_or(Earlier::NONE, Earlier::Skipped);
    let found = merged::deliver(stores, execution, &mut windows, earlier, &mut delivery).await?;
    if !found {
        return Err(ExportError::Missing {
            id: execution.id.clone(),
            status: execution.status.as_str(),
        });
    }
    let mut told = Told::new(target);
    told.folded = windows.folded();
    told.report = merged::conclude(stores, execution, summary.as_ref(), delivery).await;
    Ok(told)
}
