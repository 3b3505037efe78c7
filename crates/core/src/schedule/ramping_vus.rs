//! `ramping-vus`: VUs that iterate, their number changing linearly from stage to stage
//! (<https://grafana.com/docs/k6/latest/using-k6/scenarios/executors/ramping-vus/>).
//!
//! The steps are those of k6's `getRawExecutionSteps`
//! (<https://github.com/grafana/k6/blob/master/lib/executor/ramping_vus.go>), to the nanosecond: on the way up, a VU
//! more starts when the line reaches the next whole number, so that the last one starts at the stage's very end; on the
//! way down, a VU stops when the line reaches the number below, and the last one at the end. VU *v* is active
//! whenever there are at least *v*, so that VUs stop in the reverse order.

use super::{MAX, Segment, VuLoop, nanos};
use crate::definition::Stage;
use std::time::Duration;

/// `segment`'s part of it.
pub(super) fn schedule(
    start_vus: u64,
    stages: &[Stage],
    graceful_ramp_down: Duration,
    segment: &Segment,
) -> VuLoop {
    let max_vus = stages
        .iter()
        .fold(start_vus, |most, stage| most.max(stage.target));
    VuLoop::new(
        legs(start_vus, stages),
        max_vus,
        graceful_ramp_down,
        segment,
    )
}

/// The stages of a length above 0, with where they start from.
pub(super) fn legs(start_vus: u64, stages: &[Stage]) -> Vec<Leg> {
    let (mut start, mut from) = (0, start_vus);
    let mut legs = Vec::with_capacity(stages.len());
    for &Stage {
        duration,
        target: to,
    } in stages
    {
        let length = nanos(duration).min(MAX - start);
        if length > 0 {
            legs.push(Leg {
                start,
                length,
                from,
                to,
            });
            start += length;
        }
        from = to;
    }
    legs
}

/// A linear change of the number of VUs. Times are in ns from the scenario's start.
#[derive(Clone, Copy, Debug)]
pub(super) struct Leg {
    pub(super) start: u64,
    length: u64,
    /// VUs at the start and at the end.
    pub(super) from: u64,
    pub(super) to: u64,
}

impl Leg {
    pub(super) fn end(&self) -> u64 {
        self.start + self.length
    }

    /// When VU `number` (from 1), of those that change in this leg, starts or stops.
    pub(super) fn change(&self, number: u64) -> u64 {
        let remaining = if self.from < self.to {
            self.to - number
        } else {
            number - 1 - self.to
        };
        let before_end = u128::from(self.length) * u128::from(remaining)
            / u128::from(self.from.abs_diff(self.to));
        // Below the length, as fewer remain than change in all.
        self.end() - before_end as u64
    }

    /// VUs at `t` within the leg, its end excluded: the inverse of [`Self::change`].
    pub(super) fn vus_at(&self, t: u64) -> u64 {
        let change = u128::from(self.from.abs_diff(self.to));
        let remaining =
            (u128::from(self.end() - t) * change).div_ceil(u128::from(self.length)) as u64;
        if self.from < self.to {
            self.to - remaining
        } else {
            self.to + remaining
        }
    }

    /// When VU `number` (from 1) is active in this leg.
    pub(super) fn active(&self, number: u64) -> Option<(u64, u64)> {
        let (start, end) = (self.start, self.end());
        let (from, until) = match (number <= self.from, number <= self.to) {
            (true, true) => (start, end),
            (true, false) => (start, self.change(number)),
            (false, true) => (self.change(number), end),
            (false, false) => return None,
        };
        (from < until).then_some((from, until))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::schedule::Active;
    use proptest::prelude::*;

    const S: Duration = Duration::from_secs(1);

    fn stages(stages: &[(u32, u64)]) -> Vec<Stage> {
        stages
            .iter()
            .map(|&(s, target)| Stage {
                duration: S * s,
                target,
            })
            .collect()
    }

    /// k6's `TestRampingVUsExecutionTupleTests`. Its steps end with one to 4 VUs at 34 s, the very end, which starts
    /// nothing; ours with 0 there. Source: <https://github.com/grafana/k6/blob/master/lib/executor/ramping_vus_test.go>.
    fn k6_example() -> Vec<Stage> {
        stages(&[
            (2, 6),
            (5, 1),
            (4, 5),
            (4, 1),
            (3, 4),
            (2, 4),
            (0, 1),
            (3, 1),
            (0, 5),
            (3, 5),
            (0, 0),
            (2, 2),
            (2, 0),
            (4, 4),
        ])
    }

    fn steps(start_vus: u64, stages: &[Stage], segment: &Segment) -> Vec<(u64, u64)> {
        let schedule = schedule(start_vus, stages, S, segment);
        schedule
            .steps()
            .map(|(at, vus)| {
                assert_eq!(at.subsec_nanos(), 0);
                assert_eq!(schedule.vus_at(at), vus);
                (at.as_secs(), vus)
            })
            .collect()
    }

    #[test]
    #[rustfmt::skip]
    fn the_steps_are_those_of_k6() {
        assert_eq!(steps(4, &k6_example(), &Segment::whole()), [
            (0, 4), (1, 5), (2, 6), (3, 5), (4, 4), (5, 3), (6, 2), (7, 1), (8, 2), (9, 3), (10, 4), (11, 5), (12, 4),
            (13, 3), (14, 2), (15, 1), (16, 2), (17, 3), (18, 4), (20, 1), (23, 5), (26, 0), (27, 1), (28, 2), (29, 1),
            (30, 0), (31, 1), (32, 2), (33, 3), (34, 0),
        ]);
        // k6's segments 0:1/3, 1/3:2/3 and 2/3:1 of the sequence 0,1/3,2/3,1.
        let of = |index| steps(4, &k6_example(), &Segment::of_weights(&[1, 1, 1], index).unwrap());
        assert_eq!(of(0), [
            (0, 2), (5, 1), (10, 2), (13, 1), (18, 2), (20, 1), (23, 2), (26, 0), (27, 1), (30, 0), (31, 1), (34, 0),
        ]);
        assert_eq!(of(1), [
            (0, 1), (1, 2), (4, 1), (7, 0), (8, 1), (11, 2), (12, 1), (15, 0), (16, 1), (20, 0), (23, 2), (26, 0),
            (28, 1), (29, 0), (32, 1), (34, 0),
        ]);
        assert_eq!(of(2), [
            (0, 1), (2, 2), (3, 1), (6, 0), (9, 1), (14, 0), (17, 1), (20, 0), (23, 1), (26, 0), (33, 1), (34, 0),
        ]);
    }

    /// Cases of k6's `TestRampingVUsGetRawExecutionStepsCornerCases` (same file).
    #[test]
    fn corner_cases_are_those_of_k6() {
        let whole = Segment::whole();
        let half = |index| Segment::of_weights(&[1, 1], index).unwrap();
        // k6 lists (0, 2) and (0, 5); only the last one of an instant counts.
        assert_eq!(
            steps(2, &stages(&[(0, 5), (2, 3)]), &whole),
            [(0, 5), (1, 4), (2, 0)]
        );
        assert_eq!(
            steps(3, &stages(&[(2, 5), (1, 5)]), &whole),
            [(0, 3), (1, 4), (2, 5), (3, 0)]
        );
        let up_down = stages(&[(2, 2), (2, 0), (2, 2), (2, 0)]);
        let expected = [
            (0, 0),
            (1, 1),
            (2, 2),
            (3, 1),
            (4, 0),
            (5, 1),
            (6, 2),
            (7, 1),
            (8, 0),
        ];
        assert_eq!(steps(0, &up_down, &whole), expected);
        assert_eq!(
            steps(0, &up_down, &half(0)),
            [(0, 0), (1, 1), (4, 0), (5, 1), (8, 0)]
        );
        assert_eq!(
            steps(0, &up_down, &half(1)),
            [(0, 0), (2, 1), (3, 0), (6, 1), (7, 0)]
        );
        assert_eq!(
            steps(0, &up_down, &Segment::of_weights(&[1; 3], 2).unwrap()),
            [(0, 0)]
        );
        assert_eq!(steps(9, &[], &whole), [(0, 0)]);
    }

    #[test]
    fn vus_stop_in_reverse_order_and_keep_their_number() {
        let schedule = schedule(
            1,
            &stages(&[(4, 3), (4, 1), (2, 2)]),
            30 * S,
            &Segment::whole(),
        );
        assert_eq!(schedule.slots(), 3);
        assert_eq!(
            schedule.active(0),
            [Active {
                from: Duration::ZERO,
                until: 10 * S
            }]
        );
        assert_eq!(
            schedule.active(1),
            [Active {
                from: 2 * S,
                until: 8 * S
            }]
        );
        assert_eq!(
            schedule.active(2),
            [Active {
                from: 4 * S,
                until: 6 * S
            }]
        );
        // The graceful ramp-down is cut by the graceful stop.
        let [active] = schedule.active(2)[..] else {
            panic!("one interval")
        };
        assert_eq!(schedule.interrupted_at(&active, 60 * S), 36 * S);
        assert_eq!(schedule.interrupted_at(&active, 5 * S), 15 * S);
        let [active] = schedule.active(0)[..] else {
            panic!("one interval")
        };
        assert_eq!(schedule.interrupted_at(&active, 60 * S), 70 * S);
    }

    proptest! {
        #[test]
        fn steps_intervals_and_vus_at_agree(
            start_vus in 0_u64..30,
            stages in prop::collection::vec((prop_oneof![Just(0), 1_u64..50, 1_u64..10_000_000_000], 0_u64..30), 1..6),
            weights in prop::collection::vec(1_u32..4, 1..4),
            times in prop::collection::vec(any::<prop::sample::Index>(), 20),
        ) {
            let stages: Vec<Stage> =
                stages.iter().map(|&(ns, target)| Stage { duration: Duration::from_nanos(ns), target }).collect();
            let schedule = schedule(start_vus, &stages, S, &Segment::of_weights(&weights, 0).unwrap());
            let steps: Vec<(Duration, u64)> = schedule.steps().collect();
            prop_assert_eq!(steps[0].0, Duration::ZERO);
            prop_assert!(steps.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 != pair[1].1));
            let active: Vec<Vec<Active>> = (0..schedule.slots()).map(|slot| schedule.active(slot)).collect();
            for intervals in &active {
                prop_assert!(intervals.iter().all(|interval| interval.from < interval.until));
                prop_assert!(intervals.windows(2).all(|pair| pair[0].until < pair[1].from));
            }
            let duration = schedule.duration().as_nanos() as usize;
            let ns = Duration::from_nanos(1);
            let around = steps.iter().flat_map(|step| [step.0.saturating_sub(ns), step.0]);
            for t in around.chain(times.iter().map(|t| Duration::from_nanos(t.index(duration + 2) as u64))) {
                let vus = schedule.vus_at(t);
                prop_assert_eq!(steps.iter().rev().find(|step| step.0 <= t).unwrap().1, vus);
                let on = active.iter().map(|all| all.iter().any(|a| a.from <= t && t < a.until));
                // The lowest slots.
                prop_assert!(on.enumerate().all(|(slot, on)| on == ((slot as u64) < vus)), "{:?}", t);
            }
        }
    }
}
