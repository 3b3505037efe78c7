//! A quantile over any choice of windows, without adding histograms up.
//!
//! The quantile of a mixture lies between the least and the greatest of its parts' quantiles. So only the buckets in between matter;
//! for each, counts are summed along the windows once, and a block of windows costs two look-ups from then on.

use super::series::Window;
use crate::histogram::{Bucket, Histogram};
use std::collections::BTreeMap;
use std::ops::Range;

/// Steps that are told apart between the least and the greatest value that the quantile can have; neighbours are taken together
/// beyond. Within a step values are taken to be spread evenly.
const MAX_STEPS: usize = 512;

/// A range of values, in µs.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Step {
    from: f64,
    to: f64,
}

/// Sums along the windows: entry `w` is over the windows before `w`.
type Running = Vec<u64>;

pub(super) struct QuantileTable {
    share: f64,
    steps: Vec<Step>,
    samples: Running,
    /// Samples below the first step, then up to and with each step.
    up_to: Vec<Running>,
}

impl QuantileTable {
    /// `None` if there is no sample.
    pub(super) fn new(share: f64, windows: &[Window]) -> Option<Self> {
        let filled = || windows.iter().filter_map(|w| w.histogram.as_ref());
        let own = filled()
            .filter(|h| !h.is_empty())
            .map(|h| h.quantile(share));
        let (least, greatest) = own.fold((u64::MAX, 0), |(low, high), q| (low.min(q), high.max(q)));
        if least > greatest {
            return None;
        }
        let between = |b: &Bucket| b.highest >= least && b.lowest <= greatest;
        let buckets: BTreeMap<u64, u64> = filled()
            .flat_map(Histogram::buckets)
            .filter(between)
            .map(|b| (b.highest, b.lowest))
            .collect();
        let buckets: Vec<(u64, u64)> = buckets.into_iter().collect();
        let groups: Vec<&[(u64, u64)]> =
            buckets.chunks(buckets.len().div_ceil(MAX_STEPS)).collect();
        // A bucket holds what was rounded to its values.
        let step = |group: &&[(u64, u64)]| Step {
            from: (group[0].1 as f64 - 0.5).max(0.0),
            to: group[group.len() - 1].0 as f64 + 0.5,
        };
        let tops: Vec<u64> = groups
            .iter()
            .map(|group| group[group.len() - 1].0)
            .collect();
        let mut table = Self {
            share,
            steps: groups.iter().map(step).collect(),
            samples: vec![0],
            up_to: vec![vec![0]; groups.len() + 1],
        };
        for window in windows {
            table.push(window, least, &tops);
        }
        Some(table)
    }

    fn push(&mut self, window: &Window, least: u64, tops: &[u64]) {
        let mut counts = vec![0; tops.len() + 1];
        let mut at = 0;
        for bucket in window.histogram.iter().flat_map(Histogram::buckets) {
            if bucket.highest < least {
                counts[0] += bucket.count;
                continue;
            }
            while at < tops.len() && tops[at] < bucket.highest {
                at += 1;
            }
            if at < tops.len() {
                counts[at + 1] += bucket.count;
            }
        }
        let mut sum = 0;
        for (running, count) in self.up_to.iter_mut().zip(counts) {
            sum += count;
            running.push(running[running.len() - 1] + sum);
        }
        let samples = window.histogram.as_ref().map_or(0, Histogram::count);
        self.samples
            .push(self.samples[self.samples.len() - 1] + samples);
    }

    /// The quantile in µs over the windows of these blocks; at least 1 µs, which is what can be measured.
    pub(super) fn value(&self, blocks: &[Range<usize>]) -> f64 {
        let over = |running: &Running| -> u64 {
            blocks
                .iter()
                .map(|b| running[b.end] - running[b.start])
                .sum()
        };
        let rank = self.share * over(&self.samples) as f64;
        let (mut low, mut high) = (0, self.steps.len() - 1);
        while low < high {
            let middle = usize::midpoint(low, high);
            if over(&self.up_to[middle + 1]) as f64 >= rank {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        let (before, within) = (
            over(&self.up_to[low]) as f64,
            over(&self.up_to[low + 1]) as f64,
        );
        let step = self.steps[low];
        let part = if within > before {
            ((rank - before) / (within - before)).clamp(0.0, 1.0)
        } else {
            1.0
        };
        (step.from + part * (step.to - step.from)).max(1.0)
    }

    /// By window, how many samples more than its share lie above a value.
    pub(super) fn scores(&self, value: f64) -> Vec<f64> {
        let at = self
            .steps
            .partition_point(|step| step.to <= value)
            .min(self.steps.len() - 1);
        let step = self.steps[at];
        let part = ((value - step.from) / (step.to - step.from)).clamp(0.0, 1.0);
        let gain = |running: &Running, w: usize| (running[w + 1] - running[w]) as f64;
        let score = |w| {
            let (before, within) = (gain(&self.up_to[at], w), gain(&self.up_to[at + 1], w));
            self.share * gain(&self.samples, w) - (before + part * (within - before))
        };
        (0..self.samples.len() - 1).map(score).collect()
    }

    pub(super) fn samples(&self) -> u64 {
        self.samples[self.samples.len() - 1]
    }

    pub(super) fn weights(&self) -> Vec<f64> {
        self.samples
            .windows(2)
            .map(|two| (two[1] - two[0]) as f64)
            .collect()
    }
}
