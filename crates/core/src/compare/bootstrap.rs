//! The moving-block bootstrap: runs made of blocks of one run's windows (Künsch 1989; Liu & Singh 1992).

use super::dependence::{freedom, unseen};
use super::estimator::Estimator;
use std::ops::Range;

/// Replicates: the standard error of a variance from so many is 3 %.
pub(super) const REPLICATES: usize = 2_000;

/// How a run's value, as its logarithm, would spread if the run were made again under the same conditions.
pub(super) struct Spread {
    /// Deviations of the replicates from their mean, corrected for what blocks do not see.
    pub(super) deviations: Vec<f64>,
    /// Their variance, no smaller than the estimator's bound.
    pub(super) variance: f64,
    /// Degrees of freedom of the variance.
    pub(super) freedom: f64,
}

pub(super) fn spread(
    estimator: &Estimator,
    block: usize,
    persistence: f64,
    random: &mut fastrand::Rng,
) -> Spread {
    let windows = estimator.windows();
    let mut blocks: Vec<Range<usize>> = Vec::with_capacity(windows.div_ceil(block));
    let mut deviations: Vec<f64> = (0..REPLICATES)
        .map(|_| {
            draw(windows, block, random, &mut blocks);
            estimator.value(&blocks).ln()
        })
        .collect();
    let mean = deviations.iter().sum::<f64>() / REPLICATES as f64;
    let widen = unseen(windows, block, persistence).sqrt();
    for value in &mut deviations {
        *value = (*value - mean) * widen;
    }
    let variance = deviations.iter().map(|d| d * d).sum::<f64>() / (REPLICATES - 1) as f64;
    Spread {
        deviations,
        variance: variance.max(estimator.least_variance()),
        freedom: freedom(windows, block),
    }
}

/// Blocks of consecutive windows, as many windows as the run has.
pub(super) fn draw(
    windows: usize,
    block: usize,
    random: &mut fastrand::Rng,
    into: &mut Vec<Range<usize>>,
) {
    into.clear();
    let mut missing = windows;
    while missing > 0 {
        let start = random.usize(0..=windows - block);
        let length = block.min(missing);
        into.push(start..start + length);
        missing -= length;
    }
}
