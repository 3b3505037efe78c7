//! Rows as data of CloudWatch: values with their counts.

use crate::row::Row;
use floodgate_core::histogram::Histogram;
use floodgate_core::merge::GaugeRule;
use floodgate_records::metric::{Contains, MetricKind};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Values of a datum at most, a limit of the service. What has more becomes several data of the same moment, which it adds up.
pub(super) const VALUES: usize = 150;
/// Characters of a dimension's value at most, a limit of the service.
const DIMENSION: usize = 1_024;

/// Names and values of dimensions, sorted.
type Dimensions = Vec<(String, String)>;

/// What of a run becomes metrics.
pub(super) struct Shape {
    test: String,
    /// Empty: all.
    metrics: Vec<String>,
    dimensions: Vec<String>,
    most: usize,
    resolution: u32,
    known: BTreeSet<(String, Dimensions)>,
}

impl Shape {
    pub(super) fn new(
        test: &str,
        metrics: Vec<String>,
        dimensions: Vec<String>,
        most: usize,
        resolution: u32,
    ) -> Self {
        Self {
            test: test.to_owned(),
            metrics,
            dimensions,
            most,
            resolution,
            known: BTreeSet::new(),
        }
    }

    /// How many metrics with their dimensions there may be.
    pub(super) fn most(&self) -> usize {
        self.most
    }

    fn wants(&self, row: &Row) -> bool {
        self.metrics.is_empty() || self.metrics.contains(&row.key.metric)
    }

    fn dimensions_of(&self, row: &Row) -> Dimensions {
        let tag = |name: &String| {
            let value = row.key.tags.get(name)?;
            let is_sound = |c: &char| c.is_ascii() && !c.is_ascii_control();
            let value: String = value.chars().filter(is_sound).take(DIMENSION).collect();
            // One that begins with a colon, or has nothing but spaces, is refused with its whole request.
            let value = value.trim_start_matches([':', ' ']).to_owned();
            (!value.is_empty()).then(|| (name.clone(), value))
        };
        let own = [("test".to_owned(), self.test.clone())];
        own.into_iter()
            .chain(self.dimensions.iter().filter_map(tag))
            .collect()
    }

    /// Whether there is room for a metric; one that was let in once stays.
    fn lets_in(&mut self, metric: &str, dimensions: &Dimensions) -> bool {
        let one = (metric.to_owned(), dimensions.clone());
        if self.known.contains(&one) {
            return true;
        }
        let has_room = self.known.len() < self.most;
        has_room && self.known.insert(one)
    }
}

/// Some values of a metric in a window.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Datum {
    pub(super) metric: String,
    pub(super) dimensions: Dimensions,
    pub(super) time_ms: i64,
    /// Values, with how often each was there.
    pub(super) values: Vec<(f64, u64)>,
    unit: &'static str,
    resolution: u32,
}

impl Datum {
    /// As the service has it.
    pub(super) fn json(&self) -> Value {
        let dimensions = self.dimensions.iter();
        let dimensions: Vec<_> = dimensions
            .map(|(name, value)| json!({ "Name": name, "Value": value }))
            .collect();
        let (values, counts): (Vec<_>, Vec<_>) = self.values.iter().copied().unzip();
        json!({
            "MetricName": self.metric,
            "Dimensions": dimensions,
            "Timestamp": self.time_ms as f64 / 1e3,
            "Values": values,
            "Counts": counts,
            "Unit": self.unit,
            "StorageResolution": self.resolution,
        })
    }
}

/// Rows of one window and one set of dimensions, taken together.
struct Together {
    kind: MetricKind,
    contains: Contains,
    scale: f64,
    count: u64,
    sum: f64,
    min: f64,
    max: f64,
    histogram: Histogram,
}

/// The data of a batch, and how many of its rows had no room.
pub(super) fn data(rows: &[Row], shape: &mut Shape) -> (Vec<Datum>, u64) {
    let mut all: BTreeMap<(i64, u32, String, Dimensions), Together> = BTreeMap::new();
    let mut left_out = 0;
    for row in rows
        .iter()
        .filter(|row| shape.wants(row))
        .collect::<Vec<_>>()
    {
        let dimensions = shape.dimensions_of(row);
        if !shape.lets_in(&row.key.metric, &dimensions) {
            left_out += 1;
            continue;
        }
        let at = (
            row.time_ms,
            row.window_s,
            row.key.metric.clone(),
            dimensions,
        );
        all.entry(at)
            .and_modify(|together| together.add(row))
            .or_insert_with(|| Together::of(row));
    }
    let resolution = shape.resolution;
    let mut data = Vec::new();
    for ((time_ms, _, metric, dimensions), together) in all {
        for values in together.values().chunks(VALUES) {
            data.push(Datum {
                metric: metric.clone(),
                dimensions: dimensions.clone(),
                time_ms,
                values: values.to_vec(),
                unit: together.unit(),
                resolution,
            });
        }
    }
    (data, left_out)
}

impl Together {
    fn of(row: &Row) -> Self {
        Self {
            kind: row.key.kind,
            contains: row.contains,
            scale: row.scale(),
            count: row.count,
            sum: row.sum,
            min: row.min,
            max: row.max,
            histogram: row.histogram.clone().unwrap_or_default(),
        }
    }

    fn add(&mut self, row: &Row) {
        self.count = self.count.saturating_add(row.count);
        self.sum = match (self.kind, GaugeRule::of(&row.key.metric)) {
            (MetricKind::Gauge, GaugeRule::Sum) => self.sum + row.sum,
            (MetricKind::Gauge, _) => self.sum.max(row.sum),
            _ => self.sum + row.sum,
        };
        self.min = self.min.min(row.min);
        self.max = self.max.max(row.max);
        if let Some(more) = &row.histogram {
            self.histogram.add(more);
        }
    }

    /// A counter's sum, a gauge's value, a rate's zeros and ones, the buckets of a trend.
    fn values(&self) -> Vec<(f64, u64)> {
        let values = match self.kind {
            MetricKind::Counter | MetricKind::Gauge => vec![(self.sum, 1)],
            MetricKind::Rate => {
                let ones = (self.sum.max(0.0) as u64).min(self.count);
                vec![(0.0, self.count - ones), (1.0, ones)]
            }
            MetricKind::Trend => {
                let within = |value: u64| (value as f64).clamp(self.min, self.max) / self.scale;
                let buckets = self.histogram.buckets();
                buckets.map(|b| (within(b.highest), b.count)).collect()
            }
        };
        let is_there = |(value, count): &(f64, u64)| *count > 0 && value.is_finite();
        values.into_iter().filter(is_there).collect()
    }

    fn unit(&self) -> &'static str {
        match (self.kind, self.contains) {
            (_, Contains::Time) => "Milliseconds",
            (_, Contains::Data) => "Bytes",
            (MetricKind::Counter | MetricKind::Gauge, Contains::Default) => "Count",
            _ => "None",
        }
    }
}
