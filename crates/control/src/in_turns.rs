//! The comparison of two targets that a run has loaded in turns.

use crate::collect::Collected;
use crate::compare::{Judged, merged_rows};
use crate::error::Result;
use crate::stores::Stores;
use floodgate_core::compare::{self, Account, Against, Measured, Run, Terms};
use floodgate_core::definition::model::Side;
use floodgate_core::execution::summarise::generators;
use floodgate_records::comparison::Comparison;
use floodgate_records::execution::Execution;
use floodgate_records::keys::ExecutionKeys;
use floodgate_records::metric::Tags;

/// Compares the two sides of a run whose merged data is written.
///
/// # Errors
/// Merged data that cannot be read.
pub(crate) async fn in_turns(
    stores: &Stores,
    terms: &Terms,
    execution: &Execution,
    (collected, warmup_s): (&Collected, f64),
) -> Result<Comparison> {
    let keys = ExecutionKeys::new(&execution.project, &execution.id);
    let rows = merged_rows(stores, &keys).await?;
    let seconds = collected.duration.as_secs_f64();
    let Judged { from_ms, seconds } = Judged::of(execution.started_ms, seconds, warmup_s);
    let measured = [Side::Base, Side::Head].map(|side| {
        let tags = Tags::new().with(Side::TAG, side.as_str());
        Measured::where_tagged(&tags, &rows, from_ms, seconds, &terms.metrics)
    });
    let generators = generators(&collected.manifests);
    let [base, head] = measured.each_ref().map(|measured| Run {
        account: Account {
            execution,
            generators: &generators,
        },
        measured,
    });
    Ok(compare::compare(Against::InTurns(base), head, terms))
}
