//! What the readers of both formats share: metrics, tag sets, and the way of a sample to its series.

use super::tags::{SetId, TagSets};
use super::{Clock, kinds};
use crate::collector::Collector;
use crate::read::ReadError;
use floodgate_core::metric::MetricKind;
use std::collections::HashMap;

/// Metrics of one run; k6 refuses nothing here, so that hostile input is what the bound is for.
const MAX_METRICS: usize = 10_000;

/// A metric, by its place in [`Samples`].
pub(super) type MetricId = u32;

struct Metric {
    name: String,
    kind: MetricKind,
    /// What followed it the last time: k6 writes the samples of a request in one order.
    next: MetricId,
}

/// Metrics and tag sets of a run.
#[derive(Default)]
pub(super) struct Samples {
    metrics: Vec<Metric>,
    by_name: HashMap<Vec<u8>, MetricId>,
    latest: MetricId,
    pub(super) sets: TagSets,
    pub(super) clock: Clock,
}

impl Samples {
    /// Takes note of a metric and its type.
    ///
    /// # Errors
    /// The problem: another type than before, or too many metrics.
    pub(super) fn define(&mut self, name: &str, kind: MetricKind) -> Result<MetricId, String> {
        if let Some(&id) = self.by_name.get(name.as_bytes()) {
            let known = self.metrics[id as usize].kind;
            return if known == kind {
                Ok(id)
            } else {
                Err(format!(
                    "the metric {name} is a {kind}, and was a {known} before"
                ))
            };
        }
        if let Some(own) = kinds::of(name).filter(|&own| own != kind) {
            return Err(format!("k6's metric {name} is a {kind} here, not a {own}"));
        }
        if self.metrics.len() >= MAX_METRICS {
            return Err(format!(
                "there are more than {MAX_METRICS} metrics: is this k6's output?"
            ));
        }
        let id = self.metrics.len() as MetricId;
        self.by_name.insert(name.as_bytes().to_vec(), id);
        self.metrics.push(Metric {
            name: name.to_owned(),
            kind,
            next: id,
        });
        Ok(id)
    }

    /// A metric by its name, which is most often that which followed the latest one before.
    #[inline]
    pub(super) fn metric(&mut self, name: &[u8]) -> Option<MetricId> {
        let expected = self.metrics.get(self.latest as usize)?.next;
        let id = if self.metrics[expected as usize].name.as_bytes() == name {
            expected
        } else {
            let id = *self.by_name.get(name)?;
            self.metrics[self.latest as usize].next = id;
            id
        };
        self.latest = id;
        Some(id)
    }

    /// Adds a sample.
    #[inline]
    pub(super) fn add(
        &mut self,
        metric: MetricId,
        set: SetId,
        at_us: i64,
        value: f64,
        into: &mut Collector,
    ) {
        let series = match self.sets.series(set, metric as usize) {
            Some(series) => series,
            None => {
                let Metric { name, kind, .. } = &self.metrics[metric as usize];
                let series = into.series(name, *kind, self.sets.tags(set));
                self.sets.keep(set, metric as usize, series);
                series
            }
        };
        into.add(series, at_us, value);
    }
}

/// A line that cannot be read.
pub(super) fn malformed(line: u64, problem: impl Into<String>) -> ReadError {
    ReadError::Malformed {
        place: format!("line {line}"),
        problem: problem.into(),
    }
}

/// The beginning of a line, for a message.
pub(super) fn excerpt(line: &[u8]) -> String {
    const SHOWN: usize = 120;
    let text = String::from_utf8_lossy(&line[..line.len().min(SHOWN)]);
    let more = if line.len() > SHOWN { "…" } else { "" };
    format!("{:?}{more}", text.trim_end_matches('\u{fffd}'))
}
