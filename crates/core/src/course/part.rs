//! A part of a run.

use crate::definition::model::Stretch;
use crate::merge::Totals;
use crate::shard::Row;
use std::collections::BTreeSet;

/// What was measured in a stretch of a run.
#[derive(Debug)]
pub(super) struct PartOfRun {
    from_ms: i64,
    to_ms: i64,
    /// The trends that are wanted; `None`: all. Metrics without a distribution are cheap, and all there.
    trends: Option<BTreeSet<String>>,
    pub(super) totals: Totals,
    /// Samples of windows that lie in it only in part.
    pub(super) across: u64,
}

impl PartOfRun {
    /// With all metrics.
    pub(super) fn of_all(stretch: Stretch) -> Self {
        Self {
            trends: None,
            ..Self::of(stretch)
        }
    }

    /// With those trends that [`Self::also`] adds.
    pub(super) fn of(stretch: Stretch) -> Self {
        let ms = |duration: std::time::Duration| i64::try_from(duration.as_millis());
        Self {
            from_ms: ms(stretch.from).unwrap_or(i64::MAX),
            to_ms: stretch.to.map_or(i64::MAX, |to| ms(to).unwrap_or(i64::MAX)),
            trends: Some(BTreeSet::new()),
            totals: Totals::new(),
            across: 0,
        }
    }

    pub(super) fn also(&mut self, metric: &str) {
        if let Some(trends) = &mut self.trends {
            trends.insert(metric.to_owned());
        }
    }

    pub(super) fn add(&mut self, row: &Row, after_ms: i64) {
        let is_wanted =
            |trends: &BTreeSet<String>| row.histogram.is_none() || trends.contains(&row.key.metric);
        let end_ms = after_ms + i64::from(row.window_s) * 1_000;
        let outside = end_ms <= self.from_ms || after_ms >= self.to_ms;
        if outside || !self.trends.as_ref().is_none_or(is_wanted) {
            return;
        }
        if after_ms < self.from_ms || end_ms > self.to_ms {
            self.across += row.count;
        }
        // What has been decoded is sound.
        let _ = self.totals.add_windows(std::iter::once(row));
    }
}
