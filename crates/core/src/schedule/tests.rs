//! The law of the module: the parts of all tasks and threads are together what one alone would do.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::definition::{Definition, HttpOptions, RunOptions, Scenario, Stage};
use crate::planned::planned_load;
use floodgate_records::engine::Engine;
use floodgate_records::plan::PlannedLoad;
use proptest::prelude::*;
use std::collections::BTreeMap;

const S: Duration = Duration::from_secs(1);

/// All that a schedule says, in comparable form, sorted.
#[derive(Debug, Default, PartialEq)]
struct Deeds {
    starts: Vec<Start>,
    iterations: Vec<u64>,
    /// VUs by number, with their intervals.
    vus: Vec<(u64, Vec<Active>)>,
    pre_allocated: u64,
    total: Option<u64>,
}

impl Deeds {
    fn of(parts: &[Schedule]) -> Self {
        let mut deeds = Self {
            total: Some(0),
            ..Self::default()
        };
        for part in parts {
            deeds.total = deeds
                .total
                .zip(part.iterations())
                .map(|(sum, own)| sum + own);
            match part {
                Schedule::Arrivals(part) => {
                    let starts: Vec<Start> = (0..).map_while(|k| part.start(k)).collect();
                    assert_eq!(starts.len() as u64, part.total());
                    assert!(
                        starts
                            .windows(2)
                            .all(|pair| pair[0].iteration < pair[1].iteration
                                && pair[0].at <= pair[1].at)
                    );
                    deeds.starts.extend(starts);
                    deeds
                        .vus
                        .extend((0..part.max_vus()).map(|slot| (part.vu_number(slot), vec![])));
                    deeds.pre_allocated += part.pre_allocated_vus();
                    assert!(
                        part.total() == 0 || part.max_vus() > 0,
                        "starts without a VU"
                    );
                }
                Schedule::Loop(part) => {
                    deeds.vus.extend(
                        (0..part.slots()).map(|slot| (part.vu_number(slot), part.active(slot))),
                    );
                    deeds
                        .iterations
                        .extend((0..).map(|k| part.iteration(k)).take_while(|&n| n < 100));
                }
                Schedule::Counted(part) => {
                    deeds
                        .vus
                        .extend((0..part.vus()).map(|slot| (part.vu_number(slot), vec![])));
                    deeds
                        .iterations
                        .extend((0..part.total()).map(|k| part.iteration(k)));
                    assert!(
                        part.total() == 0 || part.vus() > 0,
                        "iterations without a VU"
                    );
                }
            }
        }
        deeds.starts.sort();
        deeds.iterations.sort_unstable();
        deeds.vus.sort();
        deeds
    }
}

fn any_stages(most: u64) -> impl Strategy<Value = Vec<Stage>> {
    let duration = prop_oneof![1 => Just(0), 3 => 1_u64..4_000];
    let stage = (duration, 0..most).prop_map(|(ms, target)| Stage {
        duration: Duration::from_millis(ms),
        target,
    });
    prop::collection::vec(stage, 1..5)
}

fn any_executor() -> impl Strategy<Value = Executor> {
    let (vus, ms) = (
        || 1_u64..40,
        || (1_u64..5_000).prop_map(Duration::from_millis),
    );
    let unit = || (200_u64..2_000).prop_map(Duration::from_millis);
    prop_oneof![
        (vus(), 0_u64..100, ms()).prop_map(|(vus, more, max_duration)| {
            Executor::SharedIterations {
                vus,
                iterations: vus + more,
                max_duration,
            }
        }),
        (vus(), 1_u64..10, ms()).prop_map(|(vus, iterations, max_duration)| {
            Executor::PerVuIterations {
                vus,
                iterations,
                max_duration,
            }
        }),
        (vus(), ms()).prop_map(|(vus, duration)| Executor::ConstantVus { vus, duration }),
        (vus(), any_stages(40)).prop_map(|(start_vus, stages)| Executor::RampingVus {
            start_vus,
            stages,
            graceful_ramp_down: S
        }),
        (0_u64..50, unit(), ms(), 0_u64..20, vus()).prop_map(
            |(rate, time_unit, duration, pre_allocated_vus, more)| {
                let max_vus = pre_allocated_vus + more;
                Executor::ConstantArrivalRate {
                    rate,
                    time_unit,
                    duration,
                    pre_allocated_vus,
                    max_vus,
                    max_lateness: S,
                }
            }
        ),
        (0_u64..50, unit(), any_stages(50), 0_u64..20, vus()).prop_map(
            |(start_rate, time_unit, stages, pre_allocated_vus, more)| {
                let max_vus = pre_allocated_vus + more;
                Executor::RampingArrivalRate {
                    start_rate,
                    time_unit,
                    stages,
                    pre_allocated_vus,
                    max_vus,
                    max_lateness: S,
                }
            }
        ),
    ]
}

proptest! {
    #[test]
    fn parts_are_together_the_whole(
        executor in any_executor(),
        tasks in prop::collection::vec((1_u32..6, 1_u32..5), 1..9),
        times in prop::collection::vec((0_u64..20_000).prop_map(Duration::from_millis), 10),
    ) {
        let weights: Vec<u32> = tasks.iter().map(|task| task.0).collect();
        let mut parts = Vec::new();
        for (index, &(_, threads)) in tasks.iter().enumerate() {
            let task = Segment::of_weights(&weights, index).unwrap();
            parts.extend((0..threads).map(|thread| schedule(&executor, &task.split(threads, thread))));
        }
        let whole = schedule(&executor, &Segment::whole());
        prop_assert_eq!(Deeds::of(&parts), Deeds::of(std::slice::from_ref(&whole)));
        for t in times {
            let sums = |part: &Schedule| match part {
                Schedule::Arrivals(part) => (part.scheduled_by(t), 0, part.rate_at(t)),
                Schedule::Loop(part) => (0, part.vus_at(t), 0.0),
                Schedule::Counted(_) => (0, 0, 0.0),
            };
            let sum = parts.iter().map(sums).fold((0, 0, 0.0), |a, b| (a.0 + b.0, a.1 + b.1, a.2 + b.2));
            let one = sums(&whole);
            prop_assert_eq!((sum.0, sum.1), (one.0, one.1));
            prop_assert!((sum.2 - one.2).abs() < 1e-9);
        }
        prop_assert!(parts.iter().all(|part| part.duration() == whole.duration()));
    }

    #[test]
    fn scheduled_by_is_the_inverse_of_start(
        executor in any_executor(),
        weights in prop::collection::vec(1_u32..6, 1..5),
        threads in 1_u32..4,
    ) {
        let segment = Segment::of_weights(&weights, 0).unwrap().split(threads, 0);
        if let Schedule::Arrivals(part) = schedule(&executor, &segment) {
            prop_assert_eq!(part.scheduled_by(Duration::MAX), part.total());
            for (k, start) in (0..).map_while(|k| part.start(k).map(|start| (k, start))) {
                prop_assert!(part.scheduled_by(start.at) > k);
                if let Some(before) = start.at.checked_sub(Duration::from_nanos(1)) {
                    prop_assert!(part.scheduled_by(before) <= k);
                }
            }
        }
    }
}

fn definition(scenarios: Vec<(Duration, Duration, Executor)>) -> Definition {
    let scenario = |(start_time, graceful_stop, executor)| Scenario {
        name: "s".into(),
        start_time,
        graceful_stop,
        executor,
        share: None,
        side: None,
        pace: None,
        tags: BTreeMap::new(),
        flow: vec![],
        http: HttpOptions::default(),
    };
    Definition {
        project: "p".into(),
        test: "t".into(),
        target: None,
        against: None,
        engine: Engine::Http,
        script: None,
        script_files: Vec::new(),
        parameters: Default::default(),
        scenarios: scenarios.into_iter().map(scenario).collect(),
        data: vec![],
        thresholds: vec![],
        baseline: None,
        capacity: None,
        warmup: std::time::Duration::ZERO,
        run: RunOptions::default(),
        http: HttpOptions::default(),
        tags: BTreeMap::new(),
        observe: vec![],
        export: vec![],
        notify: vec![],
        setup: Vec::new(),
        teardown: Vec::new(),
        contract: None,
        tier: None,
    }
}

#[test]
fn planned_load_adds_up_scenarios_that_overlap() {
    let rate = Executor::ConstantArrivalRate {
        rate: 10,
        time_unit: S,
        duration: 60 * S,
        pre_allocated_vus: 5,
        max_vus: 20,
        max_lateness: S,
    };
    let shared = Executor::SharedIterations {
        vus: 7,
        iterations: 100,
        max_duration: 30 * S,
    };
    let load = planned_load(&definition(vec![
        (Duration::ZERO, 30 * S, rate),
        (80 * S, Duration::ZERO, shared.clone()),
        // Begins when the first one has ended with its graceful stop.
        (90 * S, 5 * S, shared.clone()),
    ]));
    let expected = PlannedLoad {
        iterations: Some(800),
        max_vus: 27,
        duration_ms: 120_000,
        max_duration_ms: 125_000,
    };
    assert_eq!(load, expected);
    let load = planned_load(&definition(vec![
        (Duration::ZERO, Duration::ZERO, shared),
        (
            Duration::ZERO,
            Duration::ZERO,
            Executor::ConstantVus {
                vus: 1,
                duration: Duration::from_nanos(1),
            },
        ),
    ]));
    assert_eq!(
        load,
        PlannedLoad {
            iterations: None,
            max_vus: 8,
            duration_ms: 30_000,
            max_duration_ms: 30_000
        }
    );
    assert_eq!(planned_load(&definition(vec![])), PlannedLoad::default());
}

/// The example in k6's source (`reserveVUsForGracefulRampDowns`): 6 VUs are reserved until 33 s with graceful
/// periods of 30 s, although only 4 or fewer are active from 4 s to 10 s.
#[test]
fn ramped_down_vus_are_taken_until_they_may_have_finished() {
    let ramp = |graceful_ramp_down| Executor::RampingVus {
        start_vus: 4,
        stages: [
            (2, 6),
            (5, 1),
            (4, 5),
            (4, 1),
            (3, 4),
            (2, 4),
            (0, 1),
            (3, 1),
        ]
        .map(|(s, target)| Stage {
            duration: S * s,
            target,
        })
        .to_vec(),
        graceful_ramp_down,
    };
    let one = |at| {
        (
            at,
            Duration::ZERO,
            Executor::ConstantVus {
                vus: 1,
                duration: Duration::from_millis(1),
            },
        )
    };
    let most = |graceful_ramp_down, at| {
        planned_load(&definition(vec![
            (Duration::ZERO, 30 * S, ramp(graceful_ramp_down)),
            one(at),
        ]))
        .max_vus
    };
    assert_eq!(most(30 * S, 32 * S), 7);
    assert_eq!(most(30 * S, 33 * S), 6);
    assert_eq!(most(Duration::ZERO, 2 * S), 7);
    assert_eq!(most(Duration::ZERO, 3 * S), 6);
}
