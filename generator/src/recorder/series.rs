//! Which series there are, and how many there may be.

use crate::exchange::Protocol;
use floodgate_core::fold::Folding;
use floodgate_records::metric::{MetricKind, Tags};
use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

/// What a number of a worker's series stands for; the flusher learns it with the first window that may use it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSeries {
    /// Which.
    pub id: SeriesId,
    /// Its tags.
    pub tags: Tags,
    /// Of requests: the protocol that carries them.
    pub protocol: Option<&'static Protocol>,
    /// Of a metric of the test's own: its name and type.
    pub own: Option<(String, MetricKind)>,
}

/// A series of one worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SeriesId {
    /// A bundle of series of requests.
    Requests(u32),
    /// A check.
    Check(u32),
    /// Bytes of a scenario and group.
    Data(u32),
    /// A scenario.
    Scenario(u32),
    /// A metric of the test's own.
    Own(u32),
}

/// The bound on the tag sets of a task, shared by its workers. A tag set counts once however many metrics stand under it.
#[derive(Debug)]
pub struct SeriesBudget {
    max: usize,
    folding: Folding,
    known: Mutex<HashSet<Tags>>,
}

impl SeriesBudget {
    /// Room for `max` tag sets; those past it are folded so.
    pub fn new(max: u32, folding: Folding) -> Self {
        Self {
            max: max as usize,
            folding,
            known: Mutex::default(),
        }
    }

    /// The tags to record under, and whether they were folded: `tags` themselves while there is room or if they are known,
    /// else what [`Folding::fold`] leaves of them.
    pub fn admit(&self, tags: &Tags) -> (Tags, bool) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.contains(tags) {
            return (tags.clone(), false);
        }
        if known.len() < self.max {
            known.insert(tags.clone());
            return (tags.clone(), false);
        }
        (self.folding.fold(tags), true)
    }
}
