//! What a schedule starts, slot by slot.

use crate::definition::model::Definition;
use crate::schedule::{Schedule, Segment, schedule_of};
use floodgate_records::figures::Axis;
use std::time::Duration;

/// How many iterations all scenarios start in each slot, by the schedule; `None` if a scenario has no times of starts (a closed loop), if there
/// is no scenario, or if the load is sought by steps.
pub fn planned_starts(definition: &Definition, axis: Axis) -> Option<Vec<u64>> {
    if definition.scenarios.is_empty() || definition.capacity.is_some() {
        return None;
    }
    let mut starts = vec![0_u64; axis.slots as usize];
    for scenario in &definition.scenarios {
        let Schedule::Arrivals(arrivals) = schedule_of(scenario, &Segment::whole()) else {
            return None;
        };
        let due_before = |slot: usize| {
            let ms = (slot as u64).saturating_mul(u64::from(axis.slot_s) * 1_000);
            // A start at the very end of a slot is in the next one.
            let end = Duration::from_millis(ms).checked_sub(scenario.start_time)?;
            let before = end.checked_sub(Duration::from_nanos(1))?;
            Some(arrivals.scheduled_by(before))
        };
        let mut before = 0;
        for (slot, starts) in starts.iter_mut().enumerate() {
            let due = due_before(slot + 1).unwrap_or(0);
            *starts = starts.saturating_add(due.saturating_sub(before));
            before = due;
        }
    }
    Some(starts)
}
