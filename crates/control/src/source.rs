//! Merged data as thresholds and summaries ask for it.

use floodgate_core::merge::{Aggregate, Totals};
use floodgate_core::metric::{MetricKind, Tags};
use floodgate_core::threshold::{Grouped, MetricSource, Selected};
use std::collections::{BTreeMap, BTreeSet};

/// Totals with the questions of [`MetricSource`].
#[derive(Clone, Copy)]
pub(crate) struct Source<'a>(pub(crate) &'a Totals);

impl MetricSource for Source<'_> {
    fn select(&self, metric: &str, filter: &Tags) -> Option<Selected<'_>> {
        self.0.select(metric, filter).map(selected)
    }

    fn metrics(&self) -> Vec<(String, MetricKind)> {
        let all: BTreeMap<_, _> = self
            .0
            .0
            .keys()
            .map(|key| (key.metric.clone(), key.kind))
            .collect();
        all.into_iter().collect()
    }

    fn tag_values(&self, metric: &str, tag: &str) -> Vec<(String, Selected<'_>)> {
        let of_metric = self.0.0.keys().filter(|key| key.metric == metric);
        let values: BTreeSet<_> = of_metric.filter_map(|key| key.tags.get(tag)).collect();
        let select = |value: &str| {
            Some((
                value.to_owned(),
                self.select(metric, &Tags::new().with(tag, value))?,
            ))
        };
        values.into_iter().filter_map(select).collect()
    }

    fn by_tags(&self, metric: &str, tags: &[&str]) -> Vec<Grouped<'_>> {
        let groups = self.0.by_tags(metric, tags).into_iter();
        groups.map(|(tags, all)| (tags, selected(all))).collect()
    }
}

fn selected<'a>(all: Aggregate) -> Selected<'a> {
    Selected {
        kind: all.kind,
        count: all.count,
        sum: all.sum,
        min: all.min,
        max: all.max,
        last: all.last().unwrap_or(0.0),
        distribution: all
            .histogram
            .map(|h| Box::new(move |q: f64| h.quantile(q) as f64) as _),
    }
}
