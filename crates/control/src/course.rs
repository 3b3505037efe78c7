//! What is asked of the course of a run, out of its merged data.

use crate::collect::Collected;
use crate::error::{ControlError, Result};
use crate::stores::Stores;
use floodgate_core::course::{Course, Times};
use floodgate_core::definition::model::Definition;
use floodgate_core::shard::decode_groups;
use floodgate_core::threshold::Thresholds;
use floodgate_records::execution::Execution;
use floodgate_records::keys::ExecutionKeys;
use std::time::Duration;

/// Reads the merged data of a run once more if anything asks for parts or windows of it.
///
/// # Errors
/// Merged data that cannot be read.
pub(crate) async fn of(
    stores: &Stores,
    definition: &Definition,
    thresholds: &Thresholds,
    execution: &Execution,
    collected: &Collected,
) -> Result<Option<Course>> {
    let planned = execution.planned.duration_ms;
    let times = Times {
        start_ms: execution.started_ms.unwrap_or_default(),
        duration: collected.duration,
        planned: (planned > 0).then(|| Duration::from_millis(planned)),
    };
    let mut course = Course::new(definition, thresholds, times);
    if course.is_empty() {
        return Ok(None);
    }
    let key = ExecutionKeys::new(&execution.project, &execution.id).merged();
    // It was written a moment ago; without it nothing was measured.
    if let Some(merged) = stores.objects.get(&key).await? {
        let read = decode_groups(&merged, |rows| course.add(rows));
        read.map_err(|error| ControlError::Corrupt {
            key: stores.objects.place(&key),
            source: error.into(),
        })?;
    }
    Ok(Some(course))
}
