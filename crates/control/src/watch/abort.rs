//! Whether a threshold wants the run to end now.

use super::live::Live;
use floodgate_core::definition::model::Definition;
use floodgate_core::threshold::{Thresholds, stopped_by};
use std::time::Duration;

/// The thresholds with `abortOnFail` that the merged data of all tasks breach, as an order to stop names them.
/// Thresholds that do not compile never get here: the definition would not have been accepted.
pub(super) fn breached(definition: &Definition, live: &Live, elapsed: Duration) -> Option<String> {
    if !definition.thresholds.iter().any(|t| t.abort_on_fail) {
        return None;
    }
    let breaches = Thresholds::of(definition)
        .ok()?
        .abort_breaches(|stretch| live.of(stretch), elapsed);
    (!breaches.is_empty()).then(|| stopped_by(&breaches))
}
