//! Closed loops: a number of VUs, or of iterations.

use super::*;

#[test]
fn a_closed_loop_keeps_its_vus_busy_until_its_end() {
    let executor = Executor::ConstantVus {
        vus: 3,
        duration: Duration::from_millis(100),
    };
    let outcome = Case::new(executor, |_| 10 * MS).run();
    assert_eq!(outcome.log.most.get(), 3);
    assert!(
        outcome.started >= 6 && outcome.started <= 30,
        "{}",
        outcome.started
    );
    assert_eq!(
        outcome.interrupted, 0,
        "iterations of 10 ms end within the graceful stop"
    );
    let log = outcome.log.iterations.borrow();
    assert!(
        log.iter().all(|i| i.3 < outcome.begin + 100 * MS),
        "none starts after the end"
    );
    let mut vus: Vec<_> = log.iter().map(|i| i.0).collect();
    vus.sort_unstable();
    vus.dedup();
    assert_eq!(vus, [1, 2, 3]);
}

#[test]
fn iterations_that_take_no_time_let_others_run() {
    let executor = Executor::ConstantVus {
        vus: 2,
        duration: Duration::from_millis(20),
    };
    let outcome = Case::new(executor, |_| 0).run();
    let log = outcome.log.iterations.borrow();
    for vu in [1, 2] {
        assert!(log.iter().any(|i| i.0 == vu), "VU {vu} was starved");
    }
}

#[test]
fn ramping_vus_follow_the_steps_and_interrupt_after_the_graceful_ramp_down() {
    let stage = |ms, target| Stage {
        duration: Duration::from_millis(ms),
        target,
    };
    let executor = Executor::RampingVus {
        start_vus: 4,
        stages: vec![stage(50, 4), stage(0, 1), stage(100, 1)],
        graceful_ramp_down: Duration::from_millis(10),
    };
    let outcome = Case::new(executor, |_| 2_000 * MS).run_with_grace(Duration::ZERO);
    assert_eq!((outcome.started, outcome.interrupted), (4, 4));
    assert_eq!(outcome.log.most.get(), 4);
}

#[test]
fn shared_iterations_are_all_made_once() {
    let executor = Executor::SharedIterations {
        vus: 4,
        iterations: 101,
        max_duration: Duration::from_secs(60),
    };
    let outcome = Case::new(executor, |n| if n % 7 == 0 { MS } else { 0 }).run();
    assert_eq!(outcome.numbers(), (0..101).collect::<Vec<_>>());
    assert_eq!(
        (
            outcome.counters.scheduled.get(),
            outcome.counters.started_by_schedule.get()
        ),
        (101, 101)
    );
}

#[test]
fn per_vu_iterations_give_each_vu_its_own() {
    let executor = Executor::PerVuIterations {
        vus: 3,
        iterations: 5,
        max_duration: Duration::from_secs(60),
    };
    let outcome = Case::new(executor, |_| 0).run();
    assert_eq!(outcome.numbers(), (0..15).collect::<Vec<_>>());
    for vu in 1..=3 {
        assert_eq!(
            outcome
                .log
                .iterations
                .borrow()
                .iter()
                .filter(|i| i.0 == vu)
                .count(),
            5
        );
    }
}

#[test]
fn a_maximal_duration_ends_iterations_that_are_not_made_and_the_tally_shows_it() {
    let executor = Executor::SharedIterations {
        vus: 2,
        iterations: 1_000,
        max_duration: Duration::from_millis(30),
    };
    let outcome = Case::new(executor, |_| 10 * MS).run();
    assert_eq!(outcome.counters.scheduled.get(), 1_000);
    assert!(outcome.counters.started_by_schedule.get() < 20);
}

#[test]
fn a_pace_keeps_iterations_apart_and_is_made_up_for_by_none() {
    let pace = 20 * MS;
    let executor = Executor::SharedIterations {
        vus: 1,
        iterations: 8,
        max_duration: Duration::from_secs(10),
    };
    // The fourth takes longer than the pace allows; those behind it keep their distance from when it ended.
    let mut case = Case::new(executor, |n| if n == 3 { 70 * MS } else { MS });
    case.pace = Some(Duration::from_nanos(pace));
    let outcome = case.run();
    assert_eq!(outcome.numbers(), (0..8).collect::<Vec<_>>());
    let iterations = outcome.log.iterations.borrow();
    for pair in iterations.windows(2) {
        let (_, number, before, _) = pair[0];
        let (.., intended, actual) = pair[1];
        assert!(actual >= intended);
        assert!(intended - before >= if number == 3 { 70 * MS } else { pace });
    }
}

#[test]
fn a_paced_vu_ends_with_its_time_and_at_an_order() {
    for (duration, stop_after) in [(60, None), (10_000, Some(60 * MS))] {
        let executor = Executor::ConstantVus {
            vus: 2,
            duration: Duration::from_millis(duration),
        };
        let mut case = Case::new(executor, |_| 0);
        case.pace = Some(Duration::from_secs(3_600));
        case.stop_after = stop_after;
        let outcome = case.run();
        assert_eq!((outcome.started, outcome.completed), (2, 2));
    }
}
