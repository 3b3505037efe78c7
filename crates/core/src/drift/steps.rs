//! Where a number changes at once in the course of a run.
//!
//! Windows of one run remember the ones before them, so that the t-test of change points takes any slow wave for a step. How much they
//! remember is measured beside a line with one step in it, and as many windows count as one as that makes of them. And a number that
//! climbs steadily has no step: steps are looked for in the number as it is and beside a line, and those count that say more of it.

use super::change_points::{ChangePoint, Sensitivity, change_points};
use super::slope::{Scale, Seen};
use crate::compare::{MIN_SHARE, persistence};

/// The chance of a change point where there is none, before the many places at which one may be.
const MAX_P_VALUE: f64 = 1e-4;
/// The least relative change that is named.
const MIN_CHANGE: f64 = 0.05;

/// The places at which a number changes by 5 % or more, or a share by 0.05 percentage points, surely and for good.
pub fn steps(scale: Scale, seen: &[Seen]) -> Vec<ChangePoint> {
    let values: Vec<f64> = seen.iter().map(|s| s.value).collect();
    let n = values.len() as f64;
    if values.len() < 4 {
        return Vec::new();
    }
    let joint = LineAndStep::best(seen, &values);
    let memory = persistence(std::slice::from_ref(&joint.left));
    let sensitivity = Sensitivity {
        // All of them at once.
        window: 2 * values.len(),
        max_p_value: MAX_P_VALUE,
        min_change: match scale {
            Scale::Share => 0.0,
            Scale::Time | Scale::Count => MIN_CHANGE,
        },
        each_is: (1.0 + memory) / (1.0 - memory),
    };
    let no_step = LineAndStep::of(seen, &values, values.len());
    let levels = [
        (values.clone(), 1.0),
        (no_step.without_the_line(seen, &values), 2.0),
        (joint.without_the_line(seen, &values), 2.0),
    ];
    let judged = levels.map(|(level, parameters)| {
        let found = change_points(&level, &sensitivity);
        let parameters = parameters + 2.0 * found.len() as f64;
        let left = squares(&beside(&level, &found));
        (criterion(left, n, parameters), found)
    });
    let best = judged.into_iter().min_by(|a, b| a.0.total_cmp(&b.0));
    let found = best.map_or_else(Vec::new, |(_, found)| found);
    let matters = |point: &ChangePoint| match scale {
        Scale::Share => (point.after - point.before).abs() >= MIN_SHARE,
        Scale::Time | Scale::Count => true,
    };
    found.into_iter().filter(matters).collect()
}

/// Schwarz's criterion (1978): less is better.
fn criterion(squares: f64, n: f64, parameters: f64) -> f64 {
    n * (squares / n).max(f64::MIN_POSITIVE).ln() + parameters * n.ln()
}

fn squares(values: &[f64]) -> f64 {
    values.iter().map(|value| value * value).sum()
}

/// What is left of values beside the means of their parts.
fn beside(values: &[f64], points: &[ChangePoint]) -> Vec<f64> {
    let mut ends: Vec<usize> = points.iter().map(|point| point.index).collect();
    ends.push(values.len());
    let mut from = 0;
    let mut left = Vec::with_capacity(values.len());
    for end in ends {
        let part = &values[from..end];
        let mean = part.iter().sum::<f64>() / part.len().max(1) as f64;
        left.extend(part.iter().map(|value| value - mean));
        from = end;
    }
    left
}

/// A line with one step in it, by least squares.
struct LineAndStep {
    slope: f64,
    left: Vec<f64>,
}

impl LineAndStep {
    /// The one whose step is where it leaves least.
    fn best(seen: &[Seen], values: &[f64]) -> Self {
        let at = |step: usize| Self::of(seen, values, step);
        let first = at(1);
        (2..values.len()).map(at).fold(first, |best, other| {
            match squares(&other.left) < squares(&best.left) {
                true => other,
                false => best,
            }
        })
    }

    fn of(seen: &[Seen], values: &[f64], step: usize) -> Self {
        let (mut above, mut below) = (0.0, 0.0);
        let mut apart: Vec<(f64, f64)> = Vec::with_capacity(values.len());
        let parts = [0..step, step..values.len()];
        for part in parts.into_iter().filter(|part| !part.is_empty()) {
            let n = part.len() as f64;
            let hour = seen[part.clone()].iter().map(|s| s.at_h).sum::<f64>() / n;
            let mean = values[part.clone()].iter().sum::<f64>() / n;
            for at in part {
                let (hour, value) = (seen[at].at_h - hour, values[at] - mean);
                above += hour * value;
                below += hour * hour;
                apart.push((hour, value));
            }
        }
        let slope = if below > 0.0 { above / below } else { 0.0 };
        let left = apart.into_iter().map(|(hour, value)| value - slope * hour);
        Self {
            slope,
            left: left.collect(),
        }
    }

    fn without_the_line(&self, seen: &[Seen], values: &[f64]) -> Vec<f64> {
        let middle = seen.iter().map(|s| s.at_h).sum::<f64>() / seen.len() as f64;
        let level = |(s, value): (&Seen, &f64)| value - self.slope * (s.at_h - middle);
        seen.iter().zip(values).map(level).collect()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn noisy(value: impl Fn(usize) -> f64, seed: u64) -> Vec<Seen> {
        let mut random = fastrand::Rng::with_seed(seed);
        let at = |n: usize| Seen {
            at_h: n as f64 / 12.0,
            value: value(n) * (1.0 + 0.04 * (random.f64() - 0.5)),
            of: 1e4,
        };
        (0..96).map(at).collect()
    }

    #[test]
    fn a_step_is_named_with_its_place_and_size() {
        let found = steps(
            Scale::Time,
            &noisy(|n| if n < 60 { 100.0 } else { 115.0 }, 1),
        );
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].index, 60);
        assert!((found[0].change() - 0.15).abs() < 0.01, "{found:?}");
    }

    #[test]
    fn a_steady_climb_is_no_step_and_a_step_in_it_is_one() {
        let climb = |n: usize| 100.0 + 0.3 * n as f64;
        assert_eq!(steps(Scale::Time, &noisy(climb, 2)), []);
        let with_step = |n: usize| climb(n) * if n < 30 { 1.0 } else { 1.6 };
        let found = steps(Scale::Time, &noisy(with_step, 3));
        assert_eq!(
            found.iter().map(|point| point.index).collect::<Vec<_>>(),
            [30],
            "{found:?}"
        );
    }

    #[test]
    fn a_share_has_to_change_by_what_matters() {
        let seen = |share: f64| -> Vec<Seen> {
            let at = |n: usize| Seen {
                at_h: n as f64,
                value: if n < 48 { 0.0 } else { share } * (1.0 + (n % 3) as f64 / 10.0),
                of: 1e4,
            };
            (0..96).map(at).collect()
        };
        assert_eq!(steps(Scale::Share, &seen(1e-4)), []);
        let found = steps(Scale::Share, &seen(0.01));
        assert_eq!(found.iter().map(|p| p.index).collect::<Vec<_>>(), [48]);
    }
}
