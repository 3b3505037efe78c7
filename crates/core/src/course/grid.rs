//! One key of a run, window by window.

use crate::fold::{INTERRUPTED, may_hide};
use crate::merge::Totals;
use crate::shard::Row;
use crate::threshold::is_unanswered;
use floodgate_records::key::Key;
use floodgate_records::metric::{Builtin, MetricKind, SeriesKey, Tags};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Which windows there are.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Layout {
    pub(super) key: Key,
    /// Where the first begins, in ms after the start.
    pub(super) from_ms: i64,
    pub(super) window_s: u32,
    pub(super) windows: usize,
    /// Whether what comes after the last one belongs to it.
    pub(super) with_rest: bool,
}

/// What a grid keeps of a series.
type Class = Option<Arc<SeriesKey>>;

/// A key in windows. Of its series no more is kept than what the judgement of a threshold tells apart: complete, cut off, without a
/// response, folded.
#[derive(Debug)]
pub(super) struct Grid {
    pub(super) layout: Layout,
    pub(super) windows: Vec<Totals>,
    /// Samples of rows that lie in more than one window.
    pub(super) across: u64,
    classes: BTreeMap<Arc<SeriesKey>, Class>,
    /// What stands for anything else that was measured, where it matters that there was.
    pulse: Option<Arc<SeriesKey>>,
}

impl Grid {
    pub(super) fn new(layout: Layout) -> Self {
        let counter = Builtin::parse(&layout.key.metric)
            .is_some_and(|metric| metric.kind() == MetricKind::Counter);
        // A counter that was never added to is zero where anything was measured.
        let pulse = (counter && layout.key.tags.0.is_empty()).then(|| {
            Arc::new(SeriesKey {
                metric: "pulse".to_owned(),
                kind: MetricKind::Gauge,
                tags: Tags::new(),
            })
        });
        Self {
            windows: vec![Totals::new(); layout.windows],
            layout,
            across: 0,
            classes: BTreeMap::new(),
            pulse,
        }
    }

    pub(super) fn add(&mut self, row: &Row, after_ms: i64) {
        let own = row.key.metric == self.layout.key.metric;
        if !own && self.pulse.is_none() || self.windows.is_empty() {
            return;
        }
        let length_ms = i64::from(self.layout.window_s) * 1_000;
        let end_ms = after_ms + i64::from(row.window_s) * 1_000;
        let from_ms = self.layout.from_ms;
        if end_ms <= from_ms {
            return;
        }
        let last = self.windows.len() - 1;
        let place = usize::try_from((after_ms - from_ms).max(0) / length_ms).unwrap_or(last);
        if place > last && !self.layout.with_rest {
            return;
        }
        let place = place.min(last);
        let until_ms = from_ms + (place as i64 + 1) * length_ms;
        let reaches_on = end_ms > until_ms && !(place == last && self.layout.with_rest);
        match (own, &self.pulse) {
            (true, _) => {
                let class = self
                    .classes
                    .entry(row.key.clone())
                    .or_insert_with(|| class(&self.layout.key, &row.key));
                if let Some(key) = class {
                    if after_ms < from_ms || reaches_on {
                        self.across += row.count;
                    }
                    let row = Row {
                        key: key.clone(),
                        ..row.clone()
                    };
                    // What has been decoded is sound.
                    let _ = self.windows[place].add_windows(std::iter::once(&row));
                }
            }
            (false, Some(pulse)) => {
                let row = Row {
                    key: pulse.clone(),
                    count: 1,
                    sum: 0.0,
                    min: 0.0,
                    max: 0.0,
                    histogram: None,
                    ..*row
                };
                let _ = self.windows[place].add_windows(std::iter::once(&row));
            }
            (false, None) => {}
        }
    }
}

/// What a series is to a key: nothing, or one with no more tags than tell how it is judged.
fn class(key: &Key, series: &Arc<SeriesKey>) -> Class {
    let tags = &series.tags;
    if may_hide(tags, &key.tags) || tags.matches(&key.tags) && series.kind == MetricKind::Gauge {
        return Some(series.clone());
    }
    if !tags.matches(&key.tags) {
        return None;
    }
    let own = key.tags.clone();
    let tags = if tags.get("error_code") == Some(INTERRUPTED) {
        own.with("status", "0").with("error_code", INTERRUPTED)
    } else if is_unanswered(tags) {
        own.with("status", "0")
    } else if own.get("status").is_none() && tags.get("status").is_some() {
        own.with("status", "200")
    } else {
        own
    };
    Some(Arc::new(SeriesKey {
        metric: series.metric.clone(),
        kind: series.kind,
        tags,
    }))
}
