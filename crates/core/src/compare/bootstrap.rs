//! The moving-block bootstrap: runs made of blocks of one run's windows (Künsch 1989; Liu & Singh 1992).

use super::dependence::{freedom, unseen};
use super::estimator::Estimator;
use super::interval::student;
use std::ops::Range;

/// Replicates: the standard error of a variance from so many is 3 %.
pub(crate) const REPLICATES: usize = 2_000;

/// Beyond it more degrees of freedom make no difference: what Student's distribution is compared with to widen percentiles.
pub(super) const MANY: f64 = 1e6;

/// How a run's value, as its logarithm, would spread if the run were made again under the same conditions.
pub(crate) struct Spread {
    /// Deviations of the replicates from their mean, corrected for what blocks do not see.
    pub(crate) deviations: Vec<f64>,
    /// Their variance, no smaller than the estimator's bound.
    pub(crate) variance: f64,
    /// Degrees of freedom of the variance.
    pub(crate) freedom: f64,
}

pub(super) fn spread(
    estimator: &Estimator,
    block: usize,
    persistence: f64,
    random: &mut fastrand::Rng,
) -> Spread {
    let value = |blocks: &[Range<usize>]| estimator.value(blocks).ln();
    let of = (estimator.windows(), block);
    let spread = spread_of(of, persistence, random, value);
    Spread {
        variance: spread.variance.max(estimator.least_variance()),
        ..spread
    }
}

/// The same of any value of so many windows, taken in blocks of so many.
pub(crate) fn spread_of(
    (windows, block): (usize, usize),
    persistence: f64,
    random: &mut fastrand::Rng,
    mut value: impl FnMut(&[Range<usize>]) -> f64,
) -> Spread {
    let mut blocks: Vec<Range<usize>> = Vec::with_capacity(windows.div_ceil(block));
    let mut deviations: Vec<f64> = (0..REPLICATES)
        .map(|_| {
            draw(windows, block, random, &mut blocks);
            value(&blocks)
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
        variance,
        freedom: freedom(windows, block),
    }
}

/// How far below and above its estimate a value may be: the wider of two intervals at each end. By Student's distribution, which is right for
/// few blocks, and by percentiles of the replicates, which are right where the spread is not symmetric, widened as Student's is wider than the
/// normal distribution.
pub(crate) fn reach(spread: Spread, level: f64) -> (f64, f64) {
    let times = student(level, spread.freedom);
    let half = times * spread.variance.sqrt();
    let widen = times / student(level, MANY);
    let mut deviations = spread.deviations;
    deviations.sort_by(f64::total_cmp);
    let at = (level / 2.0 * REPLICATES as f64) as usize;
    let (lowest, highest) = (deviations[at], deviations[REPLICATES - 1 - at]);
    ((lowest * widen).min(-half), (highest * widen).max(half))
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
