//! A source of exact samples, for tests.

use super::source::{Grouped, MetricSource, Selected};
use floodgate_records::metric::{MetricKind, Tags};
use std::collections::BTreeSet;

/// Series with all of their samples.
#[derive(Default)]
pub(crate) struct Samples(Vec<(String, MetricKind, Tags, Vec<f64>)>);

impl Samples {
    /// One more series; values as recorded (trends in µs).
    pub(crate) fn with(
        mut self,
        metric: &str,
        kind: MetricKind,
        tags: &[(&str, &str)],
        values: impl IntoIterator<Item = f64>,
    ) -> Self {
        let tags = tags.iter().copied().collect();
        self.0
            .push((metric.to_owned(), kind, tags, values.into_iter().collect()));
        self
    }
}

impl Samples {
    fn those(&self, metric: &str, wanted: impl Fn(&Tags) -> bool) -> Option<Selected<'_>> {
        let series: Vec<_> = self
            .0
            .iter()
            .filter(|s| s.0 == metric && wanted(&s.2))
            .collect();
        let kind = series.first()?.1;
        let mut values: Vec<f64> = series.iter().flat_map(|s| s.3.iter().copied()).collect();
        let last = values.last().copied().unwrap_or(0.0);
        let hits = values.iter().filter(|v| **v != 0.0).count() as f64;
        values.sort_by(f64::total_cmp);
        Some(Selected {
            kind,
            count: values.len() as u64,
            sum: if kind == MetricKind::Rate {
                hits
            } else {
                values.iter().sum()
            },
            min: values.first().copied().unwrap_or(0.0),
            max: values.last().copied().unwrap_or(0.0),
            last,
            distribution: (kind == MetricKind::Trend).then(|| {
                Box::new(move |q: f64| {
                    values[((q * values.len() as f64).ceil() as usize).max(1) - 1]
                }) as Box<_>
            }),
        })
    }
}

impl MetricSource for Samples {
    fn select_where(&self, metric: &str, wanted: &dyn Fn(&Tags) -> bool) -> Option<Selected<'_>> {
        self.those(metric, wanted)
    }

    fn metrics(&self) -> Vec<(String, MetricKind)> {
        self.0
            .iter()
            .map(|s| (s.0.clone(), s.1))
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect()
    }

    fn tag_values(&self, metric: &str, tag: &str) -> Vec<(String, Selected<'_>)> {
        let values: BTreeSet<_> = self
            .0
            .iter()
            .filter(|s| s.0 == metric)
            .filter_map(|s| s.2.get(tag))
            .collect();
        let select = |v: &str| {
            self.select(metric, &Tags::new().with(tag, v))
                .map(|s| (v.to_owned(), s))
        };
        values.into_iter().filter_map(select).collect()
    }

    fn by_tags(&self, metric: &str, tags: &[&str]) -> Vec<Grouped<'_>> {
        let values = |of: &Tags| -> Vec<String> {
            let value = |tag: &&str| of.get(tag).unwrap_or_default().to_owned();
            tags.iter().map(value).collect()
        };
        let all: BTreeSet<_> = self
            .0
            .iter()
            .filter(|s| s.0 == metric)
            .map(|s| values(&s.2))
            .collect();
        let select = |wanted: Vec<String>| {
            let found = self.those(metric, |tags| values(tags) == wanted)?;
            Some((wanted, found))
        };
        all.into_iter().filter_map(select).collect()
    }
}
