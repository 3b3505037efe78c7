//! Means, shares and gains over any choice of windows: all are a sum over a sum.

use super::series::{Statistic, Window};
use std::ops::Range;

pub(super) struct RatioTable {
    statistic: Statistic,
    /// Sums along the windows: entry `w` is over the windows before `w`.
    above: Vec<f64>,
    below: Vec<f64>,
}

impl RatioTable {
    pub(super) fn new(statistic: Statistic, windows: &[Window]) -> Self {
        let mut table = Self {
            statistic,
            above: vec![0.0],
            below: vec![0.0],
        };
        for (at, window) in windows.iter().enumerate() {
            let of = match statistic {
                Statistic::Gain => 1.0,
                _ => window.count as f64,
            };
            table.above.push(table.above[at] + window.sum);
            table.below.push(table.below[at] + of);
        }
        table
    }

    /// A mean in µs, a share, or a gain a window; never zero. Counts are taken half a sample higher, so that nothing seen is not
    /// taken for impossible (Haldane 1956; Anscombe 1956).
    pub(super) fn value(&self, blocks: &[Range<usize>]) -> f64 {
        let over = |running: &[f64]| -> f64 {
            blocks
                .iter()
                .map(|b| running[b.end] - running[b.start])
                .sum()
        };
        let (above, below) = (over(&self.above), over(&self.below));
        match self.statistic {
            Statistic::Share => (above.max(0.0) + 0.5) / (below + 1.0),
            Statistic::Gain => (above.max(0.0) + 0.5) / below,
            _ => (above / below.max(1.0)).max(1.0),
        }
    }

    /// By window, how far it lies above a value, times its samples.
    pub(super) fn scores(&self, value: f64) -> Vec<f64> {
        let gains = |running: &[f64], w: usize| running[w + 1] - running[w];
        let score = |w| gains(&self.above, w) - value * gains(&self.below, w);
        (0..self.above.len() - 1).map(score).collect()
    }

    /// The least variance of the value's logarithm: that of events which are independent of each other. Few events may come so evenly
    /// that windows show less.
    pub(super) fn least_variance(&self) -> f64 {
        let last = self.above.len() - 1;
        let (events, of) = (self.above[last].max(0.0) + 0.5, self.below[last] + 1.0);
        match self.statistic {
            Statistic::Share => (1.0 / events - 1.0 / of).max(0.0),
            Statistic::Gain => 1.0 / events,
            _ => 0.0,
        }
    }

    pub(super) fn samples(&self) -> u64 {
        self.below[self.below.len() - 1] as u64
    }

    pub(super) fn weights(&self) -> Vec<f64> {
        self.below.windows(2).map(|two| two[1] - two[0]).collect()
    }
}
