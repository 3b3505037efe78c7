//! One run after several: what varies between runs enters.
//!
//! Two runs of the same thing differ by more than their windows tell: another placement, other neighbours, another state of caches and
//! heaps. Only several runs show by how much (Kalibera & Jones 2013; Zhang et al., Treadmill, ISCA 2016). The logarithms of their values are
//! taken to be normal, and the new run is held against where the next one of them would lie.

use super::bootstrap::spread;
use super::dependence::{block_length, persistence};
use super::interval::{Compared, Effect, Interval, Needed, Settings, student};
use super::series::{Statistic, WINDOW_S, Window};
use super::steady::{trimmed, warmup_of};

/// Runs that say how far apart runs lie. With fewer, nothing but the largest change would be one.
pub const MIN_RUNS: usize = 5;
/// Runs beyond which [`Compared::needed`] does not look.
const MOST_RUNS: usize = 50;

/// One number of one run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RunValue {
    /// Its logarithm.
    pub log: f64,
    /// The variance of that, as the run's own windows tell.
    pub variance: f64,
    /// Seconds left out as warm-up.
    pub warmup_s: u32,
}

/// A number of a run and how sure it is.
///
/// # Errors
/// What is missing, a sentence.
pub fn run_value(statistic: Statistic, run: &[Window], seed: u64) -> Result<RunValue, String> {
    let warmup = warmup_of(statistic, &[run])?;
    let estimator = trimmed(statistic, run, warmup)?;
    let memory = persistence(&[estimator.scores()]);
    let block = block_length(estimator.windows(), memory);
    let mut random = fastrand::Rng::with_seed(seed);
    Ok(RunValue {
        log: estimator.whole().ln(),
        variance: spread(&estimator, block, memory, &mut random).variance,
        warmup_s: warmup as u32 * WINDOW_S,
    })
}

/// The variance of a run's logarithm from run to run, with its degrees of freedom; `None` for fewer than [`MIN_RUNS`].
pub(super) fn between(runs: &[RunValue]) -> Option<(f64, f64)> {
    if runs.len() < MIN_RUNS {
        return None;
    }
    let n = runs.len() as f64;
    let mean = runs.iter().map(|run| run.log).sum::<f64>() / n;
    let between = runs.iter().map(|run| (run.log - mean).powi(2)).sum::<f64>() / (n - 1.0);
    // Runs can lie closer together by luck, but not by more than each of them is unsure.
    let within = runs.iter().map(|run| run.variance).sum::<f64>() / n;
    Some((between.max(within), n - 1.0))
}

/// Compares a run with [`MIN_RUNS`] or more before it.
///
/// # Errors
/// If there are fewer.
pub fn after(base: &[RunValue], head: RunValue, settings: &Settings) -> Result<Compared, String> {
    let runs = base.len();
    if runs < MIN_RUNS {
        return Err(format!(
            "{runs} earlier runs do not tell how far apart runs lie; {MIN_RUNS} do"
        ));
    }
    let n = runs as f64;
    let mean = base.iter().map(|run| run.log).sum::<f64>() / n;
    let (floor, _) = between(base).unwrap_or((f64::INFINITY, 1.0));
    let half = |runs: f64| {
        let variance = floor.max(head.variance) + floor / runs;
        student(settings.level(), runs - 1.0) * variance.sqrt()
    };
    let estimate = head.log - mean;
    let interval = Interval::of_logs(estimate, estimate - half(n), estimate + half(n));
    let effect = interval.outcome(settings);
    let enough = interval.deciding_half(settings);
    let more = (runs + 1..=MOST_RUNS).find(|&runs| half(runs as f64) <= enough);
    Ok(Compared {
        interval,
        effect,
        warmup_s: head.warmup_s,
        block_s: 0,
        between: Some(floor.sqrt().exp_m1()),
        needed: more
            .map(Needed::Earlier)
            .filter(|_| effect == Effect::Undecided),
    })
}
