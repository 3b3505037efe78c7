//! How fast a number changes in the course of a run, with an interval.
//!
//! Times are taken as logarithms, and their slope is the median of the slopes between all pairs of windows (Theil 1950; Sen 1968): a window
//! in which something else went wrong does not move it. Shares and counts are sums of events, most windows may have none of them, and the
//! median of pairs is then 0 whatever happens; so theirs is that of least squares, and never surer than independent events would be.
//!
//! The interval is that of a moving-block bootstrap over what is left of the windows beside the line, corrected as it is for comparisons
//! ([`crate::compare`]).

use crate::compare::{block_length, persistence, reach, spread_of};
use std::ops::Range;

/// The most windows that a slope is taken over: with more of them pairs take long, and each says less.
const MOST_WINDOWS: u32 = 96;
/// The most that is believed to be left from window to window, as in comparisons.
const MOST_MEMORY: f64 = 0.9;
/// The least windows of [`GRAIN_S`] that a run has to have: with fewer, so few blocks of them fit that nothing is sure.
const LEAST_GRAINS: u32 = 60;
/// Windows are whole numbers of so many seconds: what dependence on each other is left between them is no more than
/// comparisons allow for.
const GRAIN_S: u32 = 10;

/// The shortest time that has a slope, in seconds: ten minutes.
pub(crate) const LEAST_S: u32 = LEAST_GRAINS * GRAIN_S;

/// The length in seconds of the windows of such a time, and how many they are; `None` if it is too short for a slope.
pub(crate) fn windows_of(seconds: u32) -> Option<(u32, u32)> {
    let grains = seconds / GRAIN_S;
    if grains < LEAST_GRAINS {
        return None;
    }
    let window_s = GRAIN_S * grains.div_ceil(MOST_WINDOWS);
    Some((window_s, seconds / window_s))
}

/// What kind of number it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// A time: its slope is relative, on logarithms.
    Time,
    /// A share: its slope is absolute.
    Share,
    /// A number of events: its slope is relative to their mean.
    Count,
}

/// A number in one window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Seen {
    /// The middle of the window, in hours.
    pub at_h: f64,
    /// The number.
    pub value: f64,
    /// Samples that it rests on: of a number of events, these.
    pub of: f64,
}

/// A slope in an hour, a ratio or of a share a difference, with its interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// As estimated.
    pub per_hour: f64,
    /// The least that the data allow.
    pub low: f64,
    /// The most.
    pub high: f64,
}

/// The slope of a number in windows one after the other, sure but for a chance of `level`. There have to be three windows at least.
pub fn slope(scale: Scale, seen: &[Seen], level: f64, seed: u64) -> Estimate {
    let series = Series::of(scale, seen);
    let mut buffer = Vec::new();
    let middle = series.slope(&series.values, &mut buffer);
    let left = series.residuals(middle);
    let memory = remembered(&left);
    let block = block_length(left.len(), memory);
    let mut random = fastrand::Rng::with_seed(seed);
    let mut drawn = Vec::with_capacity(left.len());
    let of = (left.len(), block);
    let mut spread = spread_of(of, memory, &mut random, |blocks: &[Range<usize>]| {
        drawn.clear();
        blocks
            .iter()
            .for_each(|block| drawn.extend_from_slice(&left[block.clone()]));
        series.slope(&drawn, &mut buffer)
    });
    // A line takes one more block away than the mean that the bootstrap allows for.
    let blocks = left.len() as f64 / block as f64;
    let more = (blocks - 1.0) / (blocks - 2.0).max(1.0);
    spread.deviations.iter_mut().for_each(|d| *d *= more.sqrt());
    spread.variance = (spread.variance * more).max(series.least_variance);
    spread.freedom = (spread.freedom - 1.0).max(1.0);
    let (below, above) = reach(spread, level);
    let of_hour = |slope: f64| match scale {
        Scale::Time => slope.exp_m1(),
        Scale::Share | Scale::Count => slope,
    };
    Estimate {
        per_hour: of_hour(middle),
        low: of_hour(middle + below),
        high: of_hour(middle + above),
    }
}

/// How much is left from window to window beside a line, which takes one more thing away than a mean does: the bias of the coefficient
/// beside a mean is (1 + 3ρ) / n, beside a line (2 + 4ρ) / n (Shaman & Stine 1988).
fn remembered(left: &[f64]) -> f64 {
    let memory = persistence(&[left.to_vec()]);
    match memory > 0.0 {
        true => (memory + (1.0 + memory) / left.len() as f64).min(MOST_MEMORY),
        false => 0.0,
    }
}

/// How many times as long a run would have to be for an interval that leaves no doubt about a limit, if the estimate is right: the interval
/// shrinks with the time to the power of one and a half.
pub fn longer(estimate: &Estimate, limit: f64) -> f64 {
    let half = (estimate.high - estimate.low) / 2.0;
    let away = (estimate.per_hour - limit).abs();
    if away > 0.0 {
        (half / away).powf(2.0 / 3.0).max(1.1)
    } else {
        f64::INFINITY
    }
}

struct Series {
    scale: Scale,
    hours: Vec<f64>,
    values: Vec<f64>,
    /// A bound from below of the variance of the slope.
    least_variance: f64,
}

impl Series {
    fn of(scale: Scale, seen: &[Seen]) -> Self {
        let n = seen.len() as f64;
        let mean = |of: fn(&Seen) -> f64| seen.iter().map(of).sum::<f64>() / n;
        let (middle, level) = (mean(|s| s.at_h), mean(|s| s.value));
        let value = |s: &Seen| match scale {
            Scale::Time => s.value.max(f64::MIN_POSITIVE).ln(),
            Scale::Share => s.value,
            Scale::Count => s.value / level.max(f64::MIN_POSITIVE),
        };
        // Of all samples together, half an event added: what is not seen is not impossible.
        let samples: f64 = seen.iter().map(|s| s.of).sum();
        let events: f64 = seen.iter().map(|s| s.value * s.of).sum();
        let share = (events + 0.5) / (samples + 1.0);
        let noise = |s: &Seen| match scale {
            Scale::Time => 0.0,
            Scale::Share => share * (1.0 - share).max(0.0) / s.of.max(1.0),
            // The variance of a number of independent events is their mean.
            Scale::Count => n / (samples + 0.5),
        };
        let apart: f64 = seen.iter().map(|s| (s.at_h - middle).powi(2)).sum();
        let together: f64 = seen
            .iter()
            .map(|s| (s.at_h - middle).powi(2) * noise(s))
            .sum();
        Self {
            scale,
            hours: seen.iter().map(|s| s.at_h - middle).collect(),
            values: seen.iter().map(value).collect(),
            least_variance: together / (apart * apart).max(f64::MIN_POSITIVE),
        }
    }

    fn slope(&self, values: &[f64], buffer: &mut Vec<f64>) -> f64 {
        match self.scale {
            Scale::Time => theil_sen(&self.hours, values, buffer),
            Scale::Share | Scale::Count => least_squares(&self.hours, values),
        }
    }

    fn residuals(&self, slope: f64) -> Vec<f64> {
        let mut left: Vec<f64> = self
            .values
            .iter()
            .zip(&self.hours)
            .map(|(value, hour)| value - slope * hour)
            .collect();
        let mean = left.iter().sum::<f64>() / left.len() as f64;
        left.iter_mut().for_each(|value| *value -= mean);
        left
    }
}

/// The median of the slopes between all pairs.
fn theil_sen(hours: &[f64], values: &[f64], slopes: &mut Vec<f64>) -> f64 {
    slopes.clear();
    for (at, (hour, value)) in hours.iter().zip(values).enumerate() {
        let later = hours.iter().zip(values).skip(at + 1);
        slopes.extend(later.map(|(h, v)| (v - value) / (h - hour)));
    }
    if slopes.is_empty() {
        return 0.0;
    }
    let middle = slopes.len() / 2;
    let (_, median, _) = slopes.select_nth_unstable_by(middle, f64::total_cmp);
    *median
}

fn least_squares(hours: &[f64], values: &[f64]) -> f64 {
    let n = hours.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let above: f64 = hours.iter().zip(values).map(|(h, v)| h * (v - mean)).sum();
    let below: f64 = hours.iter().map(|h| h * h).sum();
    if below > 0.0 { above / below } else { 0.0 }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn seen(values: impl IntoIterator<Item = f64>, of: f64) -> Vec<Seen> {
        let at = |(n, value): (usize, f64)| Seen {
            at_h: n as f64 / 12.0,
            value,
            of,
        };
        values.into_iter().enumerate().map(at).collect()
    }

    #[test]
    fn windows_are_as_long_as_the_run_needs() {
        assert_eq!(windows_of(599), None);
        assert_eq!(windows_of(600), Some((10, 60)));
        assert_eq!(windows_of(960), Some((10, 96)));
        assert_eq!(windows_of(970), Some((20, 48)));
        assert_eq!(windows_of(8 * 3_600), Some((300, 96)));
    }

    #[test]
    fn a_slope_is_what_it_is() {
        let mut random = fastrand::Rng::with_seed(1);
        let noise: Vec<f64> = (0..96).map(|_| 1.0 + 0.02 * (random.f64() - 0.5)).collect();
        let leak = |n: usize| 100.0 * 1.01_f64.powf(n as f64 / 12.0);
        let mut values: Vec<f64> = (0..96).map(|n| leak(n) * noise[n]).collect();
        let found = slope(Scale::Time, &seen(values.clone(), 1e4), 0.05, 1);
        assert!((found.per_hour - 0.01).abs() < 0.001, "{found:?}");
        assert!(found.low > 0.008 && found.high < 0.012, "{found:?}");
        // A few windows that went wrong do not move it by much.
        for at in [3, 40, 41, 90] {
            values[at] *= 5.0;
        }
        let robust = slope(Scale::Time, &seen(values, 1e4), 0.05, 1);
        assert!((robust.per_hour - 0.01).abs() < 0.002, "{robust:?}");
        let steady = slope(Scale::Count, &seen(vec![200.0; 96], 2e3), 0.05, 1);
        assert_eq!(steady.per_hour, 0.0);
        // All windows alike, and yet no surer than independent events are.
        assert!(steady.high > 0.0005 && steady.low < -0.0005, "{steady:?}");
    }

    #[test]
    fn failures_that_come_more_often_are_seen_though_most_windows_have_none() {
        let share = |n: usize| {
            if n.is_multiple_of(8) {
                n as f64 * 1e-5
            } else {
                0.0
            }
        };
        let values: Vec<f64> = (0..96).map(share).collect();
        let found = slope(Scale::Share, &seen(values, 3_000.0), 0.05, 1);
        assert!(found.per_hour > 0.0, "{found:?}");
        let none = slope(Scale::Share, &seen(vec![0.0; 96], 100.0), 0.05, 1);
        assert!(none.per_hour == 0.0 && none.high > 0.0, "{none:?}");
    }

    #[test]
    fn how_long_a_run_would_decide() {
        let estimate = Estimate {
            per_hour: 0.01,
            low: -0.01,
            high: 0.03,
        };
        // Half the interval is twice the distance to the limit.
        assert!((longer(&estimate, 0.02) - 2f64.powf(2.0 / 3.0)).abs() < 1e-9);
        assert_eq!(longer(&estimate, 0.01), f64::INFINITY);
    }
}
