//! What a worker counts of its VUs and starts.

use floodgate_core::histogram::Histogram;
use std::cell::{Cell, RefCell};

/// What the gauges and the manifest need to know of a worker.
#[derive(Debug, Default)]
pub struct Counters {
    /// VUs in an iteration now.
    pub busy: Cell<u64>,
    /// The most of them at any time since [`Counters::take_most_busy`].
    most_busy: Cell<u64>,
    /// VUs allocated.
    pub allocated: Cell<u64>,
    /// Starts that schedules with a fixed number of them wanted until they ended or were stopped.
    pub scheduled: Cell<u64>,
    /// Iterations begun by such schedules.
    pub started_by_schedule: Cell<u64>,
    /// Whether any scenario has such a schedule.
    pub counts_starts: Cell<bool>,
    /// Whether a scenario ran out of unique data rows.
    pub data_exhausted: Cell<bool>,
    /// Actual minus intended start in µs, of the starts that found a VU ready: the generator's own doing.
    pub dispatch_lag: RefCell<Histogram>,
}

impl Counters {
    pub(super) fn add(cell: &Cell<u64>, n: i64) {
        cell.set(cell.get().wrapping_add_signed(n));
    }

    pub(super) fn begin(&self) {
        let busy = self.busy.get() + 1;
        self.busy.set(busy);
        self.most_busy.set(self.most_busy.get().max(busy));
    }

    pub(super) fn end(&self) {
        Self::add(&self.busy, -1);
    }

    /// The most VUs that were in an iteration at once since the last call: a run that is over before a second has passed
    /// had some, too.
    pub fn take_most_busy(&self) -> u64 {
        self.most_busy.replace(self.busy.get())
    }
}
