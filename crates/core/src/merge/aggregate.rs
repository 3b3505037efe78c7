//! Sums over windows, tasks and series.

use crate::histogram::{Histogram, HistogramError};
use crate::shard::{Row, Shard};
use bytes::Bytes;
use floodgate_records::metric::{Builtin, MetricKind, SeriesKey, Tags};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Along what values are added up; it matters for gauges only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Along {
    /// Windows of one series, one after the other: the later value stands.
    Time,
    /// Windows of the same time, of several tasks or several series.
    Side(GaugeRule),
}

/// What gauges of the same time make together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GaugeRule {
    /// Their sum: `vus`, `vus_max`.
    Sum,
    /// The largest: `generator_cpu`, where the busiest generator is the one to know about.
    Largest,
    /// The latest; of the same time the largest.
    Latest,
}

impl GaugeRule {
    /// The rule of a metric.
    pub fn of(metric: &str) -> Self {
        match Builtin::parse(metric) {
            Some(Builtin::Vus | Builtin::VusMax) => Self::Sum,
            Some(Builtin::GeneratorCpu) => Self::Largest,
            _ => Self::Latest,
        }
    }
}

/// What is known of a series, or of several together. Trends are in µs.
#[derive(Clone, Debug, PartialEq)]
pub struct Aggregate {
    /// The kind of metric.
    pub kind: MetricKind,
    /// Samples.
    pub count: u64,
    /// Counter: what was added. Rate: non-zero samples. Trend: the exact sum in µs. Gauge: the last value. Doubles add up integers
    /// exactly up to 2^53.
    pub sum: f64,
    /// The smallest value.
    pub min: f64,
    /// The largest value.
    pub max: f64,
    /// When the last value of a gauge was taken, as the start of its window, Unix ms.
    pub last_ms: i64,
    /// Trends only.
    pub histogram: Option<Histogram>,
}

impl Aggregate {
    /// Nothing yet: the neutral element of [`Self::merge`].
    pub fn new(kind: MetricKind) -> Self {
        let histogram = (kind == MetricKind::Trend).then(Histogram::new);
        Self {
            kind,
            count: 0,
            sum: 0.0,
            min: 0.0,
            max: 0.0,
            last_ms: i64::MIN,
            histogram,
        }
    }

    /// The last value of a gauge; `None` without a sample or for another kind.
    pub fn last(&self) -> Option<f64> {
        (self.kind == MetricKind::Gauge && self.count > 0).then_some(self.sum)
    }

    /// Adds a row.
    ///
    /// # Errors
    /// [`HistogramError`] if its histogram is not sound; rows of [`crate::shard::decode`] are. Then nothing is added.
    pub fn add_row(&mut self, row: &Row, along: Along) -> Result<(), HistogramError> {
        if let (Some(histogram), Some(bytes)) = (&mut self.histogram, &row.histogram) {
            histogram.add_encoded(row.exact(), 0, bytes)?;
        }
        self.add_figures(row.count, (row.sum, row.min, row.max), row.time_ms, along);
        Ok(())
    }

    /// Adds another aggregate of the same kind.
    pub fn merge(&mut self, other: &Self, along: Along) {
        if let (Some(mine), Some(theirs)) = (&mut self.histogram, &other.histogram) {
            mine.add(theirs);
        }
        self.add_figures(
            other.count,
            (other.sum, other.min, other.max),
            other.last_ms,
            along,
        );
    }

    fn add_figures(
        &mut self,
        count: u64,
        (sum, min, max): (f64, f64, f64),
        time_ms: i64,
        along: Along,
    ) {
        if count == 0 {
            return;
        }
        if self.count == 0 {
            (self.sum, self.min, self.max) = (sum, min, max);
        } else if self.kind == MetricKind::Gauge && along == Along::Side(GaugeRule::Sum) {
            self.sum += sum;
            self.min += min;
            self.max += max;
        } else {
            self.min = self.min.min(min);
            self.max = self.max.max(max);
            self.sum = match (self.kind, along) {
                (MetricKind::Gauge, Along::Side(GaugeRule::Largest)) => self.sum.max(sum),
                (MetricKind::Gauge, _) => match time_ms.cmp(&self.last_ms) {
                    std::cmp::Ordering::Greater => sum,
                    std::cmp::Ordering::Equal => self.sum.max(sum),
                    std::cmp::Ordering::Less => self.sum,
                },
                _ => self.sum + sum,
            };
        }
        self.count = self.count.saturating_add(count);
        self.last_ms = self.last_ms.max(time_ms);
    }

    /// The row of a window.
    pub fn to_row(&self, key: &Arc<SeriesKey>, time_ms: i64, window_s: u32) -> Row {
        let histogram = self.histogram.as_ref().map(|histogram| {
            let mut bytes = Vec::new();
            histogram.encode_v2(&mut bytes);
            Bytes::from(bytes)
        });
        let (count, sum, min, max) = (self.count, self.sum, self.min, self.max);
        Row {
            time_ms,
            window_s,
            key: key.clone(),
            count,
            sum,
            min,
            max,
            histogram,
        }
    }

    /// Forgets everything but keeps the memory of the histogram.
    pub(super) fn clear(&mut self) {
        let mut histogram = self.histogram.take();
        if let Some(histogram) = &mut histogram {
            histogram.clear();
        }
        *self = Self {
            histogram,
            ..Self::new(self.kind)
        };
    }
}

/// Everything since the start, by series.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Totals(pub BTreeMap<Arc<SeriesKey>, Aggregate>);

impl Totals {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the live object of one more task.
    ///
    /// # Errors
    /// [`HistogramError`] if a histogram is not sound; those of [`crate::shard::decode`] are.
    pub fn add_live(&mut self, live: &Shard) -> Result<(), HistogramError> {
        self.add_live_rows(live.rows.iter())
    }

    /// Adds some rows of the live object of one more task.
    ///
    /// # Errors
    /// As for [`Self::add_live`].
    pub fn add_live_rows<'a>(
        &mut self,
        rows: impl Iterator<Item = &'a Row>,
    ) -> Result<(), HistogramError> {
        for row in rows {
            self.entry(&row.key)
                .add_row(row, Along::Side(GaugeRule::of(&row.key.metric)))?;
        }
        Ok(())
    }

    /// Adds windows of any series and tasks, in any order.
    ///
    /// # Errors
    /// [`HistogramError`] if a histogram is not sound; those of [`crate::shard::decode`] are.
    pub fn add_windows<'a>(
        &mut self,
        rows: impl Iterator<Item = &'a Row>,
    ) -> Result<(), HistogramError> {
        for row in rows {
            self.entry(&row.key).add_row(row, Along::Time)?;
        }
        Ok(())
    }

    /// All series of a metric whose tags match, as one: see [`Self::sum_where`].
    pub fn sum_of(&self, metric: &str, filter: &Tags) -> Option<Aggregate> {
        self.sum_where(metric, |tags| tags.matches(filter))
    }

    /// All series of a metric whose tags are wanted, as one: `None` if there is none. Gauges of several series are taken together by
    /// their [`GaugeRule`].
    pub fn sum_where(&self, metric: &str, wanted: impl Fn(&Tags) -> bool) -> Option<Aggregate> {
        let along = Along::Side(GaugeRule::of(metric));
        let mut found: Option<Aggregate> = None;
        for (key, aggregate) in self
            .0
            .iter()
            .filter(|(key, _)| key.metric == metric && wanted(&key.tags))
        {
            let all = found.get_or_insert_with(|| Aggregate::new(key.kind));
            // A name belongs to one kind; a foreign writer's mixture is kept apart rather than added up.
            if all.kind == aggregate.kind {
                all.merge(aggregate, along);
            }
        }
        found
    }

    /// All series of a metric, those with the same values of `tags` as one; an absent tag is empty.
    pub fn sums_by_tags(&self, metric: &str, tags: &[&str]) -> BTreeMap<Vec<String>, Aggregate> {
        let along = Along::Side(GaugeRule::of(metric));
        let mut groups: BTreeMap<Vec<String>, Aggregate> = BTreeMap::new();
        for (key, aggregate) in self.0.iter().filter(|(key, _)| key.metric == metric) {
            let value = |tag: &&str| key.tags.get(tag).unwrap_or_default().to_owned();
            let all = groups
                .entry(tags.iter().map(value).collect())
                .or_insert_with(|| Aggregate::new(key.kind));
            if all.kind == aggregate.kind {
                all.merge(aggregate, along);
            }
        }
        groups
    }

    pub(super) fn entry(&mut self, key: &Arc<SeriesKey>) -> &mut Aggregate {
        self.0
            .entry(key.clone())
            .or_insert_with(|| Aggregate::new(key.kind))
    }
}
