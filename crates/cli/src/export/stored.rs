//! The export of a run that has ended.

use super::merged;
use super::told::Told;
use crate::error::{CliError, Result};
use floodgate_control::{Stores, load_series, load_summary};
use floodgate_export::windows::Options;
use floodgate_export::{Delivery, End, Patience, Run, Target, Windows, schemes};
use floodgate_records::execution::Execution;

/// Hands over everything that a run measured.
///
/// # Errors
/// A target whose options are not valid, and what was measured not being here.
pub(crate) async fn export_stored(
    stores: &Stores,
    execution: &Execution,
    target: &Target,
) -> Result<Told> {
    let usage = |error| CliError::usage(format!("--to {error}"));
    let mut options = Options::of(target).map_err(usage)?;
    options.origin_ms = execution.started_ms.unwrap_or(execution.created_ms);
    options.durations = merged::durations(stores, execution).await;
    let testid = target.option("testid").unwrap_or(&execution.id);
    let run = Run {
        execution: execution.clone(),
        testid: testid.to_owned(),
        live: false,
    };
    let summary = load_summary(stores, &execution.project, &execution.id).await?;
    let sink = schemes::open(target, &run).map_err(usage)?;
    let mut delivery = Delivery::new(sink, Patience::default());
    let mut windows = Windows::new(options);
    let found = merged::deliver(stores, execution, &mut windows, i64::MIN, &mut delivery).await?;
    if !found {
        let (what, status) = (
            format!("execution {}", execution.id),
            execution.status.as_str(),
        );
        let problem = format!("is {status}, and what it measured is not here");
        return Err(CliError::run(what, problem));
    }
    let mut told = Told::new(target);
    told.folded = windows.folded();
    // Without them the sink has the windows, and says nothing of the whole.
    let totals = load_series(stores, execution, &[]).await.ok().flatten();
    told.report = delivery
        .finish(End {
            execution,
            summary: summary.as_ref(),
            totals: totals.as_ref(),
            complete: false,
        })
        .await;
    Ok(told)
}
