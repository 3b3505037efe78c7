//! `ramping-arrival-rate`: the rate changes linearly from stage to stage, and start *n* is due when its integral
//! reaches *n* + 1 (<https://grafana.com/docs/k6/latest/using-k6/scenarios/executors/ramping-arrival-rate/>).
//!
//! That is k6's rule: the first start waits until one whole iteration has come together (at a constant 2/s: 0.5 s), and
//! one that comes together exactly at the end still starts. k6 solves the quadratic equation in floating point, stage
//! after stage; the formula is derived in <https://github.com/grafana/k6/issues/1299#issuecomment-575661084>.
//!
//! Here it is exact. In a stage of length D whose rate goes from *a* to *b* a time unit U, twice the integral times U
//! is, *x* after the stage's start, 2*ax* + (*b* − *a*)*x*²/D, over the whole stage D(*a* + *b*): an integer. So the
//! sums before the stages are exact, and a start's time is the largest whole *x* that satisfies an inequality of
//! integers. Floating point only proposes the *x* to begin with.

use super::{MAX, nanos, saturate};
use crate::definition::Stage;
use std::time::Duration;

/// All starts of the executor. Times are in ns, *areas* are the integral of the rate times twice the time unit.
#[derive(Clone, Debug)]
pub(super) struct Timeline {
    /// Twice the time unit: the area of one iteration.
    iteration: u128,
    unit: u64,
    ramps: Vec<Ramp>,
    duration: u64,
    total: u64,
}

/// One stage of a length above 0.
#[derive(Clone, Copy, Debug)]
struct Ramp {
    start: u64,
    length: u64,
    /// Iterations each time unit at the start and at the end.
    from: u64,
    to: u64,
    /// The area before it, and with it.
    before: u128,
    through: u128,
}

impl Timeline {
    pub(super) fn new(start_rate: u64, time_unit: Duration, stages: &[Stage]) -> Self {
        let unit = nanos(time_unit).max(1);
        let iteration = 2 * u128::from(unit);
        let mut ramps = Vec::with_capacity(stages.len());
        let (mut from, mut start, mut before) = (start_rate.min(MAX), 0_u64, 0_u128);
        for stage in stages {
            let to = stage.target.min(MAX);
            let length = nanos(stage.duration).min(MAX - start);
            if length > 0 {
                let through = before.saturating_add(u128::from(length) * u128::from(from + to));
                ramps.push(Ramp {
                    start,
                    length,
                    from,
                    to,
                    before,
                    through,
                });
                start += length;
                before = through;
            }
            from = to;
        }
        Self {
            iteration,
            unit,
            ramps,
            duration: start,
            total: saturate(before / iteration),
        }
    }

    pub(super) fn total(&self) -> u64 {
        self.total
    }

    pub(super) fn duration(&self) -> u64 {
        self.duration
    }

    /// When start `n` is due, rounded down; `n` is below the total.
    pub(super) fn at(&self, n: u64) -> u64 {
        let area = self.iteration * (u128::from(n) + 1);
        let index = self.ramps.partition_point(|ramp| ramp.through < area);
        self.ramps.get(index).map_or(self.duration, |ramp| {
            ramp.start + ramp.time_of(area - ramp.before)
        })
    }

    /// Due at `t` or before, by bisection: the times ascend.
    pub(super) fn due_by(&self, t: u64) -> u64 {
        let (mut due, mut end) = (0, self.total);
        while due < end {
            let middle = due + (end - due) / 2;
            if self.at(middle) <= t {
                due = middle + 1;
            } else {
                end = middle;
            }
        }
        due
    }

    pub(super) fn rate_at(&self, t: u64) -> f64 {
        let index = self
            .ramps
            .partition_point(|ramp| ramp.start + ramp.length <= t);
        self.ramps.get(index).map_or(0.0, |ramp| {
            let (from, to) = (ramp.from as f64, ramp.to as f64);
            let passed = (t - ramp.start) as f64 / ramp.length as f64;
            (from + (to - from) * passed) / self.unit as f64 * 1e9
        })
    }
}

impl Ramp {
    /// The last whole ns at which the area since the ramp's start is at most `area`, which is at most the ramp's.
    fn time_of(&self, area: u128) -> u64 {
        if self.from == self.to {
            return saturate(area / (2 * u128::from(self.from)));
        }
        let mut time = self.estimate(area).min(self.length);
        // The estimate is wrong by a few parts in 10¹⁵ of the length, so by no step or one in a stage of hours.
        while time > 0 && self.exceeds(time, area) {
            time -= 1;
        }
        while time < self.length && !self.exceeds(time + 1, area) {
            time += 1;
        }
        time
    }

    /// Where the area is about `area`. Solved from the end at which the rate is lower, with a sum instead of a
    /// difference below the fraction: so nothing cancels, and the relative error is a few roundings.
    fn estimate(&self, area: u128) -> u64 {
        let solve = |area: u128, rate: u64, growth: u64| {
            let (area, rate, growth) = (area as f64, rate as f64, growth as f64);
            let end_rate = (rate * rate + growth * (area / self.length as f64)).sqrt();
            // The cast takes 0/0, an area of 0 where the rate is 0, to 0.
            (area / (rate + end_rate)) as u64
        };
        if self.from < self.to {
            solve(area, self.from, self.to - self.from)
        } else {
            let rest = (self.through - self.before).saturating_sub(area);
            self.length
                .saturating_sub(solve(rest, self.to, self.from - self.to))
        }
    }

    /// Whether the area since the start is above `area` at `time`: *x*(2*a*D + (*b* − *a*)*x*) > area × D, in 192 bits.
    fn exceeds(&self, time: u64, area: u128) -> bool {
        let level = 2 * u128::from(self.from) * u128::from(self.length);
        let slope = u128::from(self.from.abs_diff(self.to)) * u128::from(time);
        let height = if self.from < self.to {
            level + slope
        } else {
            level - slope
        };
        widening_product(height, time) > widening_product(area, self.length)
    }
}

/// The 192 bits of a product, the upper 128 first: they compare as the number does.
fn widening_product(a: u128, b: u64) -> (u128, u64) {
    let low = u128::from(a as u64) * u128::from(b);
    let high = (a >> 64) * u128::from(b);
    (high + (low >> 64), low as u64)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn stages(stages: &[(f64, u64)]) -> Vec<Stage> {
        stages
            .iter()
            .map(|&(s, target)| Stage {
                duration: Duration::from_secs_f64(s),
                target,
            })
            .collect()
    }

    fn times(timeline: &Timeline) -> Vec<u64> {
        (0..timeline.total()).map(|n| timeline.at(n)).collect()
    }

    fn millis(timeline: &Timeline) -> Vec<u64> {
        times(timeline).iter().map(|ns| ns / 1_000_000).collect()
    }

    /// Vectors of k6's `TestRampingArrivalRateCal`, whose tolerance is 0.1 %:
    /// <https://github.com/grafana/k6/blob/master/lib/executor/ramping_arrival_rate_test.go>.
    #[test]
    fn the_times_are_those_of_k6() {
        let stages = stages(&[(5.0, 1), (1.0, 1), (5.0, 0)]);
        let timeline = Timeline::new(0, SECOND, &stages);
        assert_eq!(
            millis(&timeline),
            [3_162, 4_472, 5_500, 6_527, 7_837, 11_000]
        );
        // √10 s and √20 s to the ns.
        assert_eq!(times(&timeline)[..2], [3_162_277_660, 4_472_135_954]);

        let timeline = Timeline::new(0, SECOND / 3, &stages);
        let expected = [
            1_825, 2_581, 3_162, 3_651, 4_082, 4_472, 4_830, 5_166, 5_499, 5_833, 6_169, 6_527,
            6_917, 7_348, 7_837, 8_418, 9_174, 10_999,
        ];
        let actual = millis(&timeline);
        assert_eq!(actual.len(), expected.len());
        assert!(
            actual.iter().zip(expected).all(|(a, b)| a.abs_diff(b) <= 1),
            "{actual:?}"
        );
    }

    #[test]
    fn a_flat_rate_starts_after_one_whole_iteration() {
        // The example in k6's source: 2/s for 5 s, then up to 3/s; the first at 0.5 s, ten in the first stage.
        let timeline = Timeline::new(2, SECOND, &stages(&[(5.0, 2), (5.0, 3)]));
        assert_eq!(
            millis(&timeline)[..10],
            [
                500, 1_000, 1_500, 2_000, 2_500, 3_000, 3_500, 4_000, 4_500, 5_000
            ]
        );
        assert_eq!(timeline.total(), 22);
    }

    #[test]
    fn jumps_and_pauses() {
        // Nothing for 1 s, a jump to 4/s for 1 s, a jump to nothing for 1 s, a jump to 2/s for 1 s.
        let timeline = Timeline::new(
            0,
            SECOND,
            &stages(&[
                (1.0, 0),
                (0.0, 4),
                (1.0, 4),
                (0.0, 0),
                (1.0, 0),
                (0.0, 2),
                (1.0, 2),
            ]),
        );
        assert_eq!(
            millis(&timeline),
            [1_250, 1_500, 1_750, 2_000, 3_500, 4_000]
        );
        // Fractions are carried over a pause.
        let timeline = Timeline::new(
            1,
            SECOND,
            &stages(&[(1.5, 1), (0.0, 0), (1.0, 0), (0.0, 1), (1.0, 1)]),
        );
        assert_eq!(millis(&timeline), [1_000, 3_000]);
        assert_eq!(timeline.duration(), 3_500_000_000);
        assert!((timeline.rate_at(1_499_999_999) - 1.0).abs() < 1e-12);
        assert!(
            timeline.rate_at(1_500_000_000).abs() < 1e-12
                && timeline.rate_at(3_500_000_000).abs() < 1e-12
        );
    }

    #[test]
    fn nothing_to_start() {
        for timeline in [
            Timeline::new(5, SECOND, &[]),
            Timeline::new(0, SECOND, &stages(&[(9.0, 0)])),
        ] {
            assert_eq!((timeline.total(), timeline.due_by(MAX)), (0, 0));
        }
        assert_eq!(Timeline::new(7, SECOND, &stages(&[(0.0, 9)])).total(), 0);
    }

    #[test]
    fn a_week_and_extreme_rates_stay_exact() {
        // Up from 0 to 20,000/s in a week: start n is due at √(2(n + 1)D/b).
        let timeline = Timeline::new(0, SECOND, &stages(&[(604_800.0, 20_000)]));
        assert_eq!(timeline.total(), 6_048_000_000);
        let at = u128::from(timeline.at(1_000_000_000));
        let square = 2 * 1_000_000_001_u128 * 604_800 * 1_000_000_000_000_000_000 / 20_000;
        assert!(at * at <= square && square < (at + 1) * (at + 1), "{at}");
        // Where that is a whole number, 756 s × m for n + 1 = 9,450 m², no rounding may fall short of it.
        for m in 1..=800 {
            assert_eq!(timeline.at(9_450 * m * m - 1), 756_000_000_000 * m);
        }
        // One of the rare cases (found by a search) whose estimate is too low; the time is from integers alone.
        let timeline = Timeline::new(1, SECOND, &stages(&[(5_218.0, 323)]));
        assert_eq!(timeline.at(588_276), 4_350_290_608_985);
        let timeline = Timeline::new(
            u64::MAX,
            SECOND,
            &[Stage {
                duration: Duration::MAX,
                target: 0,
            }],
        );
        assert_eq!(timeline.total(), u64::MAX);
        assert!(timeline.at(u64::MAX - 1) <= timeline.duration());
    }

    fn any_stages() -> impl Strategy<Value = Vec<Stage>> {
        let duration = prop_oneof![
            Just(0),
            1_u64..1_000,
            1_000_000_u64..90_000_000_000,
            1_u64..100_000_000_000_000
        ];
        let target = prop_oneof![Just(0), Just(1), 0_u64..100, 0_u64..1_000_000];
        let stage = (duration, target).prop_map(|(ns, target)| Stage {
            duration: Duration::from_nanos(ns),
            target,
        });
        prop::collection::vec(stage, 1..8)
    }

    /// The area at `t` times the length of the stage that holds it, and that length; independent of the code above.
    fn area(start_rate: u64, stages: &[Stage], t: u64) -> (i128, i128) {
        let (mut start, mut from, mut sum) = (0_i128, i128::from(start_rate), 0_i128);
        for stage in stages {
            let (length, to, x) = (
                stage.duration.as_nanos() as i128,
                i128::from(stage.target),
                i128::from(t) - start,
            );
            if length > 0 && x <= length {
                return (
                    sum * length + 2 * from * x * length + (to - from) * x * x,
                    length,
                );
            }
            sum += (from + to) * length;
            start += length;
            from = to;
        }
        (sum, 1)
    }

    proptest! {
        #[test]
        fn start_n_is_due_when_the_integral_reaches_n_plus_1(
            start_rate in prop_oneof![Just(0), 0_u64..1_000_000],
            stages in any_stages(),
            unit_ns in prop_oneof![Just(1_000_000_000_u64), 1_000_000_u64..60_000_000_000],
            pick in any::<u64>(),
        ) {
            let timeline = Timeline::new(start_rate, Duration::from_nanos(unit_ns), &stages);
            let last = timeline.total().saturating_sub(1);
            for n in [0, pick % (last + 1), last].into_iter().filter(|&n| n < timeline.total()) {
                let at = timeline.at(n);
                let wanted = 2 * i128::from(unit_ns) * (i128::from(n) + 1);
                // The last ns at which the integral has not passed it; the first one of a pause at it, or of the end.
                let (sum, length) = area(start_rate, &stages, at);
                prop_assert!(sum <= wanted * length);
                let (after, next_length) = area(start_rate, &stages, (at + 1).min(timeline.duration()));
                prop_assert!(after > wanted * next_length || sum == wanted * length);
                prop_assert!(n == 0 || timeline.at(n - 1) <= at);
                prop_assert!(timeline.due_by(at) > n);
                prop_assert!(at == 0 || timeline.due_by(at - 1) <= n);
                prop_assert!(at <= timeline.duration());
            }
            let (whole, length) = area(start_rate, &stages, timeline.duration());
            prop_assert_eq!(i128::from(timeline.total()), whole / length / (2 * i128::from(unit_ns)));
        }
    }
}
