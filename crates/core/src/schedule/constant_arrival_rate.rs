//! `constant-arrival-rate`: start *n* is due at *n* × time unit / rate
//! (<https://grafana.com/docs/k6/latest/using-k6/scenarios/executors/constant-arrival-rate/>).
//!
//! As in k6, the first start is due at 0, and there is one at each multiple before the end. k6 rounds the period down to
//! whole nanoseconds and then multiplies, so that it drifts ahead (300/s: by 1 µs in 10 s); here the product is
//! divided, and start 10⁹ is as exact as the first.

use super::{MAX, nanos, saturate};
use std::time::Duration;

/// All starts of the executor. Times are in ns.
#[derive(Clone, Debug)]
pub(super) struct Timeline {
    rate: u64,
    unit: u64,
    duration: u64,
    total: u64,
}

impl Timeline {
    pub(super) fn new(rate: u64, time_unit: Duration, duration: Duration) -> Self {
        let mut timeline = Self {
            rate: rate.min(MAX),
            unit: nanos(time_unit).max(1),
            duration: nanos(duration),
            total: 0,
        };
        timeline.total = timeline.starts_before(timeline.duration);
        timeline
    }

    pub(super) fn total(&self) -> u64 {
        self.total
    }

    pub(super) fn duration(&self) -> u64 {
        self.duration
    }

    /// When start `n` is due, rounded down; `n` is below the total, so that the rate is not 0.
    pub(super) fn at(&self, n: u64) -> u64 {
        match n.checked_mul(self.unit) {
            Some(product) => product / self.rate,
            None => saturate(u128::from(n) * u128::from(self.unit) / u128::from(self.rate)),
        }
    }

    /// Due at `t` or before: as times are rounded down, those before `t` + 1.
    pub(super) fn due_by(&self, t: u64) -> u64 {
        self.starts_before(t + 1).min(self.total)
    }

    pub(super) fn rate_at(&self, t: u64) -> f64 {
        if t < self.duration {
            self.rate as f64 / self.unit as f64 * 1e9
        } else {
            0.0
        }
    }

    /// How many *n* have *n* × unit / rate < `t`.
    fn starts_before(&self, t: u64) -> u64 {
        saturate((u128::from(t) * u128::from(self.rate)).div_ceil(u128::from(self.unit)))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn starts_are_due_from_zero_and_before_the_end() {
        let timeline = Timeline::new(50, SECOND, SECOND);
        // k6's TestConstantArrivalRateRunCorrectTiming: one every 20 ms from 0.
        // https://github.com/grafana/k6/blob/master/lib/executor/constant_arrival_rate_test.go
        assert_eq!(timeline.total(), 50);
        assert!((0..50).all(|n| timeline.at(n) == n * 20_000_000));
        // The end is excluded: a start every 20 ms for 1.01 s is one more.
        assert_eq!(
            Timeline::new(50, SECOND, Duration::from_millis(1_010)).total(),
            51
        );
        assert_eq!(
            Timeline::new(50, SECOND, Duration::from_nanos(1_000_000_001)).total(),
            51
        );
    }

    #[test]
    fn nothing_drifts_over_hours() {
        let week = SECOND * 604_800;
        let timeline = Timeline::new(3_000, SECOND, week);
        assert_eq!(timeline.total(), 3_000 * 604_800);
        assert_eq!(timeline.at(1_000_000_000), 333_333_333_333_333);
        assert_eq!(timeline.at(1_000_000_002), 333_333_334_000_000);
        // n × unit exceeds 64 bits: a million starts an hour.
        let timeline = Timeline::new(1_000_000, SECOND * 3_600, SECOND * 36_000_000);
        assert_eq!(timeline.at(9_999_999_999), 35_999_999_996_400_000);
    }

    #[test]
    fn a_rate_of_zero_never_starts_anything() {
        let timeline = Timeline::new(0, SECOND, SECOND);
        assert_eq!((timeline.total(), timeline.due_by(MAX)), (0, 0));
    }

    #[test]
    fn the_rate_ends_with_the_duration() {
        let timeline = Timeline::new(90, SECOND * 60, SECOND);
        assert!((timeline.rate_at(0) - 1.5).abs() < 1e-12);
        assert!((timeline.rate_at(1_000_000_000)).abs() < 1e-12);
    }

    proptest! {
        #[test]
        fn due_by_is_the_inverse_of_at(rate in 1_u64..2_000_000, unit_ns in 1_000_000_u64..10_000_000_000, seconds in 1_u64..100_000, pick in any::<u64>()) {
            let timeline = Timeline::new(rate, Duration::from_nanos(unit_ns), SECOND * seconds as u32);
            let n = pick % timeline.total();
            let at = timeline.at(n);
            prop_assert!(at < timeline.duration());
            prop_assert!(n == 0 || timeline.at(n - 1) <= at);
            prop_assert!(timeline.due_by(at) > n);
            prop_assert!(at == 0 || timeline.due_by(at - 1) <= n);
            // Exactly floor(n × unit / rate).
            let (product, rate) = (u128::from(n) * u128::from(unit_ns), u128::from(rate));
            prop_assert!(u128::from(at) * rate <= product && product < u128::from(at + 1) * rate);
        }
    }
}
