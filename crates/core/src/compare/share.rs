//! Shares: which side of them is compared, and which changes of them matter.
//!
//! A ratio says little of a share that is nearly all or nearly nothing. Of checks that hold in 99.9 % and then in 99.5 % of all cases five
//! times as many fail, while those that hold change by less than a percent. So the rarer side is compared. And where next to nothing happens,
//! one more of it is a large ratio and of no consequence: a share has to change by [`MIN_SHARE`] as well.

use super::interval::{Effect, Interval};
use super::series::Window;

/// The least absolute change of a share that matters: 0.05 percentage points. A share of failures that goes from nothing to 0.1 % is found,
/// one failure in thousands of requests is none.
pub const MIN_SHARE: f64 = 0.0005;

/// Whether the rest is the rarer side of these windows.
pub(super) fn is_mostly(windows: &[Window]) -> bool {
    let count: u64 = windows.iter().map(|window| window.count).sum();
    let sum: f64 = windows.iter().map(|window| window.sum).sum();
    sum > count as f64 / 2.0
}

/// The same windows with what they don't count.
pub(super) fn rest_of(windows: &[Window]) -> Vec<Window> {
    let rest = |window: &Window| Window {
        sum: window.count as f64 - window.sum,
        ..window.clone()
    };
    windows.iter().map(rest).collect()
}

/// A share as intervals have it: half a sample higher, so that it is never 0.
pub(super) fn smoothed(windows: &[Window]) -> f64 {
    let count: u64 = windows.iter().map(|window| window.count).sum();
    let sum: f64 = windows.iter().map(|window| window.sum).sum();
    (sum.max(0.0) + 0.5) / (count as f64 + 1.0)
}

/// What is left of an effect on a share that was `before`. The absolute change has the interval of the ratio, carried over by the delta
/// method: next to nothing, a ratio may be anything, and the change is small all the same.
pub(super) fn weighed(effect: Effect, interval: &Interval, before: f64) -> Effect {
    let by = (interval.ratio - 1.0).abs() * before;
    let half = interval.half() * before * interval.ratio.max(1.0);
    match effect {
        _ if by + half < MIN_SHARE => Effect::Same,
        Effect::More | Effect::Less if by < MIN_SHARE => Effect::Undecided,
        other => other,
    }
}

/// The same effect, said of the rest.
pub(super) const fn turned(effect: Effect) -> Effect {
    match effect {
        Effect::More => Effect::Less,
        Effect::Less => Effect::More,
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interval(low: f64, ratio: f64, high: f64) -> Interval {
        Interval { ratio, low, high }
    }

    #[test]
    fn a_share_has_to_change_by_what_matters() {
        // From one in a hundred thousand to one in twenty thousand: sure, and nothing.
        let sure = interval(3.0, 5.0, 8.0);
        assert_eq!(weighed(Effect::More, &sure, 1e-5), Effect::Same);
        // The data allow 0.07 points, the estimate is 0.04.
        assert_eq!(weighed(Effect::More, &sure, 1e-4), Effect::Undecided);
        assert_eq!(weighed(Effect::More, &sure, 1e-2), Effect::More);
        let unsure = interval(0.2, 3.0, 70.0);
        assert_eq!(weighed(Effect::Undecided, &unsure, 5e-6), Effect::Same);
        assert_eq!(weighed(Effect::Undecided, &unsure, 1e-3), Effect::Undecided);
    }
}
