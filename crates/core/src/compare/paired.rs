//! Two targets in one run, in turns so short that whatever drifts meets both alike.
//!
//! A round is one window of [`WINDOW_S`] seconds. Within it, base and head have four turns (A B B A, and B A A B in every other round), so
//! that a drift in one direction cancels within the round, and what comes back every round does so over two. The unit is the round: the
//! bootstrap draws the same rounds for both, and with them the noise that both share.

use super::bootstrap::REPLICATES;
use super::dependence::{block_of_rounds, freedom, left_in_turns, unseen};
use super::estimator::Estimator;
use super::interval::{Compared, Effect, Interval, Needed, Settings, student};
use super::series::{Statistic, WINDOW_S, Window};
use super::steady::{trimmed, warmup_of};
use std::ops::Range;

/// Beyond it more degrees of freedom make no difference.
const MANY: f64 = 1e6;

/// Compares a number of two targets that were loaded in turns, round by round: the windows of either.
///
/// # Errors
/// What is missing for an interval, and what to do about it: a sentence.
pub fn paired(
    statistic: Statistic,
    base: &[Window],
    head: &[Window],
    settings: &Settings,
) -> Result<Compared, String> {
    let rounds = base.len().min(head.len());
    let (base, head) = (&base[..rounds], &head[..rounds]);
    let warmup = warmup_of(statistic, &[base, head])?;
    let base = trimmed(statistic, base, warmup)?;
    let head = trimmed(statistic, head, warmup)?;
    let windows = base.windows();
    let memory = left_in_turns(differences(&base, &head));
    let block = block_of_rounds(windows, memory);
    let estimate = head.whole().ln() - base.whole().ln();
    let deviations = deviations(&base, &head, block, memory, settings.seed);
    let variance = deviations.iter().map(|d| d * d).sum::<f64>() / (REPLICATES - 1) as f64;
    let variance = variance.max(base.least_variance() + head.least_variance());
    let interval = interval(
        estimate,
        deviations,
        variance,
        freedom(windows, block),
        settings,
    );
    let effect = interval.outcome(settings);
    let longer = (interval.half() / interval.deciding_half(settings)).powi(2);
    Ok(Compared {
        interval,
        effect,
        warmup_s: warmup as u32 * WINDOW_S,
        block_s: block as u32 * WINDOW_S,
        between: None,
        needed: (effect == Effect::Undecided).then_some(Needed::Longer(longer.max(1.1))),
    })
}

/// By round, what it adds to the error of the difference, up to a factor: what both share is gone from it.
fn differences(base: &Estimator, head: &Estimator) -> Vec<f64> {
    let by_sample = |run: &Estimator| -> Vec<f64> {
        let samples = run.weights().into_iter().zip(run.scores());
        samples
            .map(|(weight, score)| if weight > 0.0 { score / weight } else { 0.0 })
            .collect()
    };
    let (base, head) = (by_sample(base), by_sample(head));
    head.iter().zip(base).map(|(h, b)| h - b).collect()
}

/// How the logarithm of the ratio deviates if other rounds are drawn, the same for both, sorted.
fn deviations(
    base: &Estimator,
    head: &Estimator,
    block: usize,
    memory: f64,
    seed: u64,
) -> Vec<f64> {
    let windows = base.windows();
    let mut random = fastrand::Rng::with_seed(seed);
    let mut blocks: Vec<Range<usize>> = Vec::with_capacity(windows.div_ceil(block));
    let mut ratios: Vec<f64> = (0..REPLICATES)
        .map(|_| {
            super::bootstrap::draw(windows, block, &mut random, &mut blocks);
            head.value(&blocks).ln() - base.value(&blocks).ln()
        })
        .collect();
    let mean = ratios.iter().sum::<f64>() / REPLICATES as f64;
    let widen = unseen(windows, block, memory).sqrt();
    for ratio in &mut ratios {
        *ratio = (*ratio - mean) * widen;
    }
    ratios.sort_by(f64::total_cmp);
    ratios
}

/// The wider at each end of Student's interval and of percentiles, which are widened as Student's is wider than the normal one.
fn interval(
    estimate: f64,
    sorted: Vec<f64>,
    variance: f64,
    freedom: f64,
    settings: &Settings,
) -> Interval {
    let level = settings.level();
    let reach = student(level, freedom);
    let widen = reach / student(level, MANY);
    let half = reach * variance.sqrt();
    let at = (level / 2.0 * REPLICATES as f64) as usize;
    let (lowest, highest) = (sorted[at] * widen, sorted[REPLICATES - 1 - at] * widen);
    Interval::of_logs(
        estimate,
        estimate + lowest.min(-half),
        estimate + highest.max(half),
    )
}
