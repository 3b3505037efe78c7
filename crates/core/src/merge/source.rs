//! Merged data as thresholds and summaries ask for it.

use super::{Aggregate, Totals};
use crate::threshold::{Grouped, MetricSource, Selected};
use floodgate_records::metric::{MetricKind, Tags};
use std::collections::{BTreeMap, BTreeSet};

impl MetricSource for Totals {
    fn select_where(&self, metric: &str, wanted: &dyn Fn(&Tags) -> bool) -> Option<Selected<'_>> {
        self.sum_where(metric, wanted).map(selected)
    }

    fn metrics(&self) -> Vec<(String, MetricKind)> {
        let all: BTreeMap<_, _> = self
            .0
            .keys()
            .map(|key| (key.metric.clone(), key.kind))
            .collect();
        all.into_iter().collect()
    }

    fn tag_values(&self, metric: &str, tag: &str) -> Vec<(String, Selected<'_>)> {
        let of_metric = self.0.keys().filter(|key| key.metric == metric);
        let values: BTreeSet<_> = of_metric.filter_map(|key| key.tags.get(tag)).collect();
        let select = |value: &str| {
            let found = self.select_where(metric, &|tags| tags.get(tag) == Some(value))?;
            Some((value.to_owned(), found))
        };
        values.into_iter().filter_map(select).collect()
    }

    fn by_tags(&self, metric: &str, tags: &[&str]) -> Vec<Grouped<'_>> {
        let groups = self.sums_by_tags(metric, tags).into_iter();
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
