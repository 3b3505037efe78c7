//! Two runs, window by window.

use super::bootstrap::{MANY, Spread, reach, spread};
use super::dependence::{block_length, persistence};
use super::estimator::Estimator;
use super::interval::{Compared, Effect, Interval, Needed, Settings};
use super::runs::{RunValue, between};
use super::series::{Statistic, WINDOW_S, Window};
use super::steady::{trimmed, warmup_of};

/// Compares a number of a run with that of an earlier one. What is known of `history`, runs of the same test, is the least by which runs
/// differ anyway; with fewer than [`super::MIN_RUNS`] of them nothing is.
///
/// # Errors
/// What is missing for an interval, and what to do about it: a sentence.
pub fn two(
    statistic: Statistic,
    base: &[Window],
    head: &[Window],
    history: &[RunValue],
    settings: &Settings,
) -> Result<Compared, String> {
    let warmup = warmup_of(statistic, &[base, head])?;
    let base = trimmed(statistic, base, warmup)?;
    let head = trimmed(statistic, head, warmup)?;
    let memory = persistence(&[base.scores(), head.scores()]);
    let mut random = fastrand::Rng::with_seed(settings.seed);
    let mut spread_of = |run: &Estimator| {
        let block = block_length(run.windows(), memory);
        (spread(run, block, memory, &mut random), block)
    };
    let ((before, block), (after, _)) = (spread_of(&base), spread_of(&head));
    let estimate = head.whole().ln() - base.whole().ln();
    let between = between(history);
    let floor = between.map(|(variance, freedom)| (2.0 * variance, freedom));
    let interval = interval(estimate, &before, &after, floor, settings.level());
    let effect = interval.outcome(settings);
    let longer = (interval.half() / interval.deciding_half(settings)).powi(2);
    let by_length = floor.is_none_or(|(least, _)| least < before.variance + after.variance);
    Ok(Compared {
        interval,
        effect,
        warmup_s: warmup as u32 * WINDOW_S,
        block_s: block as u32 * WINDOW_S,
        between: between.map(|(variance, _)| variance.sqrt().exp_m1()),
        needed: (effect == Effect::Undecided && by_length)
            .then_some(Needed::Longer(longer.max(1.1))),
    })
}

/// The interval of a ratio, no narrower than the floor, a variance with its degrees of freedom, allows.
fn interval(
    estimate: f64,
    base: &Spread,
    head: &Spread,
    floor: Option<(f64, f64)>,
    level: f64,
) -> Interval {
    let within = base.variance + head.variance;
    let freedom = welch(&[(base.variance, base.freedom), (head.variance, head.freedom)]);
    let (variance, freedom) = floor
        .filter(|(least, _)| *least > within)
        .unwrap_or((within, freedom));
    let differences = head.deviations.iter().zip(&base.deviations);
    let spread = Spread {
        deviations: differences.map(|(h, b)| h - b).collect(),
        variance,
        freedom,
    };
    let (below, above) = reach(spread, level);
    Interval::of_logs(estimate, estimate + below, estimate + above)
}

/// Degrees of freedom of a sum of variances (Welch 1947; Satterthwaite 1946).
pub(super) fn welch(parts: &[(f64, f64)]) -> f64 {
    let sum: f64 = parts.iter().map(|(variance, _)| variance).sum();
    let below: f64 = parts
        .iter()
        .map(|(variance, freedom)| variance * variance / freedom)
        .sum();
    if below > 0.0 { sum * sum / below } else { MANY }
}
