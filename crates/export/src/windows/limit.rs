//! The bound on series: a store pays for each of them for as long as it keeps it.

use floodgate_core::fold::Folding;
use floodgate_records::metric::SeriesKey;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Tag sets of a metric, unless somebody asks for another number: as many as a task of a run keeps by default.
pub const DEFAULT_MAX_SERIES: usize = 2_000;

/// Lets the first series of each metric through, and folds those past the bound.
#[derive(Debug)]
pub(super) struct Limit {
    most: usize,
    known: HashMap<String, HashSet<Arc<SeriesKey>>>,
    folding: Folding,
    folded: u64,
}

impl Limit {
    pub(super) fn new(most: usize) -> Self {
        Self {
            most,
            known: HashMap::new(),
            folding: Folding::default(),
            folded: 0,
        }
    }

    /// The series that so many samples of this one are counted in. Equal keys give the same `Arc`.
    pub(super) fn key(&mut self, key: &Arc<SeriesKey>, count: u64) -> Arc<SeriesKey> {
        if !self.known.contains_key(&key.metric) {
            self.known.insert(key.metric.clone(), HashSet::new());
        }
        let Some(known) = self.known.get_mut(&key.metric) else {
            return key.clone();
        };
        if let Some(known) = known.get(key) {
            return known.clone();
        }
        if known.len() < self.most {
            known.insert(key.clone());
            return key.clone();
        }
        self.folded += count;
        // Not among the known ones: those of a folded series are few, and it must not take the place of another one.
        Arc::new(SeriesKey {
            tags: self.folding.fold(&key.tags),
            ..SeriesKey::clone(key)
        })
    }

    pub(super) fn folded(&self) -> u64 {
        self.folded
    }
}
