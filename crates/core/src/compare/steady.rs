//! What of a run is compared: its windows after the warm-up, if they are enough.

use super::estimator::Estimator;
use super::series::{Statistic, WINDOW_S, Window};
use super::warmup::end_of_warmup;

/// Windows that a run has to have after its warm-up: two minutes. With fewer the rate of false alarms is not held.
pub const MIN_WINDOWS: usize = 12;

/// The longest warm-up of some runs, in windows: all leave out the same part, so that none is favoured.
pub(super) fn warmup_of(statistic: Statistic, runs: &[&[Window]]) -> Result<usize, String> {
    let mut longest = 0;
    for run in runs {
        enough(run.len(), "")?;
        let estimator = Estimator::new(statistic, run).ok_or("a run has no sample of it")?;
        let by_sample =
            |(score, weight): (f64, f64)| if weight > 0.0 { score / weight } else { 0.0 };
        let scores: Vec<f64> = estimator
            .scores()
            .into_iter()
            .zip(estimator.weights())
            .map(by_sample)
            .collect();
        longest = longest.max(end_of_warmup(&scores));
    }
    Ok(longest)
}

/// What is left of a run after the warm-up, if it is enough.
pub(super) fn trimmed(
    statistic: Statistic,
    run: &[Window],
    warmup: usize,
) -> Result<Estimator, String> {
    let rest = run.get(warmup..).unwrap_or_default();
    enough(
        rest.len(),
        if warmup > 0 { " after its warm-up" } else { "" },
    )?;
    let estimator = Estimator::new(statistic, rest).ok_or("a run has no sample of it")?;
    let (found, least) = (estimator.samples(), statistic.least_samples());
    if found < least {
        return Err(format!(
            "a run has {found} samples of it, which is too few for an interval of this number; it takes at least {least}"
        ));
    }
    Ok(estimator)
}

/// Whether so many windows are enough.
fn enough(windows: usize, of: &str) -> Result<(), String> {
    if windows >= MIN_WINDOWS {
        return Ok(());
    }
    let least = MIN_WINDOWS as u32 * WINDOW_S;
    let found = match windows as u32 * WINDOW_S {
        0 => format!("less than {WINDOW_S}"),
        found => found.to_string(),
    };
    Err(format!(
        "a run of {found} s{of} has too few windows for an interval; it takes at least {least} s, better 300 s"
    ))
}
