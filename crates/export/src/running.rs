//! Running totals, for stores whose counters and histograms only rise.

use crate::row::Row;
use floodgate_core::histogram::Histogram;
use floodgate_records::metric::{Contains, SeriesKey};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Everything of a series since the start.
#[derive(Clone, Debug)]
pub(crate) struct Total {
    /// What the values are.
    pub(crate) contains: Contains,
    /// Start of the first window, Unix ms.
    pub(crate) since_ms: i64,
    /// The latest time that was told, Unix ms; rises strictly.
    pub(crate) told_ms: i64,
    /// As in a [`Row`], but of all windows; of a gauge the last value.
    pub(crate) count: u64,
    /// See [`Row::sum`].
    pub(crate) sum: f64,
    /// See [`Row::min`].
    pub(crate) min: f64,
    /// See [`Row::max`].
    pub(crate) max: f64,
    /// Trends only.
    pub(crate) histogram: Option<Histogram>,
}

impl Total {
    /// What one window comes to.
    pub(crate) fn of(row: &Row) -> Self {
        let mut total = Self::new(row);
        total.add(row);
        total
    }

    fn new(row: &Row) -> Self {
        Self {
            contains: row.contains,
            since_ms: row.time_ms,
            told_ms: row.time_ms,
            count: 0,
            sum: 0.0,
            min: f64::INFINITY,
            max: f64::NEG_INFINITY,
            histogram: row.histogram.as_ref().map(|_| Histogram::new()),
        }
    }

    fn add(&mut self, row: &Row) {
        use floodgate_records::metric::MetricKind::Gauge;
        self.count = self.count.saturating_add(row.count);
        self.sum = if row.key.kind == Gauge {
            row.sum
        } else {
            self.sum + row.sum
        };
        self.min = self.min.min(row.min);
        self.max = self.max.max(row.max);
        if let (Some(all), Some(more)) = (&mut self.histogram, &row.histogram) {
            all.add(more);
        }
        self.told_ms = row.end_ms().max(self.told_ms + 1);
    }
}

/// The totals of all series.
#[derive(Debug, Default)]
pub(crate) struct Running {
    totals: BTreeMap<Arc<SeriesKey>, Total>,
}

impl Running {
    /// All series, by metric and tags.
    pub(crate) fn totals(&self) -> impl Iterator<Item = (&Arc<SeriesKey>, &Total)> {
        self.totals.iter()
    }

    /// Starts a batch, which changes nothing until it is [taken](Self::take).
    pub(crate) fn batch(&self) -> Batch<'_> {
        Batch {
            before: self,
            changed: BTreeMap::new(),
        }
    }

    /// Adds rows of which nothing is told.
    pub(crate) fn skip(&mut self, rows: &[Row]) {
        let mut batch = self.batch();
        for row in rows {
            batch.add(row);
        }
        let changed = batch.changed();
        self.take(changed);
    }

    /// Adds what a batch has changed.
    pub(crate) fn take(&mut self, changed: Changed) {
        self.totals.extend(changed.0);
    }
}

/// What a batch has changed.
pub(crate) struct Changed(BTreeMap<Arc<SeriesKey>, Total>);

/// A batch that is being added up.
pub(crate) struct Batch<'a> {
    before: &'a Running,
    changed: BTreeMap<Arc<SeriesKey>, Total>,
}

impl Batch<'_> {
    /// Adds a row: the totals at the end of its window, and whether the series is new.
    pub(crate) fn add(&mut self, row: &Row) -> (&Total, bool) {
        let before = self.before.totals.get(&row.key);
        let is_new = before.is_none() && !self.changed.contains_key(&row.key);
        let total = self.changed.entry(row.key.clone());
        let total = total.or_insert_with(|| before.cloned().unwrap_or_else(|| Total::new(row)));
        total.add(row);
        (total, is_new)
    }

    /// Tells the totals of series again that were last told `after_ms` or more before `now_ms`: a store takes a series that is silent for one
    /// that has ended.
    pub(crate) fn repeat(&mut self, now_ms: i64, after_ms: i64) -> Vec<Arc<SeriesKey>> {
        let is_due = |total: &Total| now_ms.saturating_sub(total.told_ms) >= after_ms;
        let mut due = Vec::new();
        for (key, total) in &self.before.totals {
            let current = self.changed.get(key).unwrap_or(total);
            if is_due(current) {
                let mut told = current.clone();
                told.told_ms = now_ms;
                self.changed.insert(key.clone(), told);
                due.push(key.clone());
            }
        }
        due
    }

    /// The totals of a series as they stand in this batch.
    pub(crate) fn total(&self, key: &Arc<SeriesKey>) -> Option<&Total> {
        self.changed
            .get(key)
            .or_else(|| self.before.totals.get(key))
    }

    /// What is to be [taken](Running::take) once the store has it.
    pub(crate) fn changed(self) -> Changed {
        Changed(self.changed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use floodgate_records::metric::{MetricKind, Tags};

    fn row(time_ms: i64, sum: f64) -> Row {
        Row {
            time_ms,
            window_s: 1,
            key: Arc::new(SeriesKey {
                metric: "http_reqs".into(),
                kind: MetricKind::Counter,
                tags: Tags::new(),
            }),
            contains: Contains::Default,
            count: 1,
            sum,
            min: sum,
            max: sum,
            histogram: None,
        }
    }

    #[test]
    fn a_batch_that_is_not_taken_leaves_no_trace() {
        let mut running = Running::default();
        let mut first = running.batch();
        assert!(first.add(&row(1_000, 2.0)).1);
        let changed = first.changed();
        running.take(changed);
        for _ in 0..2 {
            let mut lost = running.batch();
            let (total, is_new) = lost.add(&row(2_000, 3.0));
            assert_eq!(
                (total.sum, total.count, total.told_ms, is_new),
                (5.0, 2, 3_000, false)
            );
        }
        assert_eq!(
            running.totals().next().map(|(_, total)| total.sum),
            Some(2.0)
        );
    }

    #[test]
    fn a_silent_series_is_told_again() {
        let mut running = Running::default();
        let mut first = running.batch();
        first.add(&row(1_000, 2.0));
        let changed = first.changed();
        running.take(changed);
        let mut batch = running.batch();
        assert!(batch.repeat(11_999, 10_000).is_empty());
        assert_eq!(batch.repeat(12_000, 10_000).len(), 1);
        assert!(batch.repeat(12_001, 10_000).is_empty());
    }
}
