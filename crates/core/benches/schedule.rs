//! The cost of asking when the next start is due: once for each request of an open loop.

// What divan's macros make is not documented.
#![allow(missing_docs)]

use divan::{Bencher, black_box};
use floodgate_core::definition::{Executor, Stage};
use floodgate_core::schedule::{Arrivals, Schedule, Segment, schedule};
use std::time::Duration;

fn main() {
    divan::main();
}

const HOUR: Duration = Duration::from_secs(3_600);
const SECOND: Duration = Duration::from_secs(1);

/// The share of a thread: the heaviest of three tasks, the second of two threads.
fn arrivals(executor: &Executor) -> Arrivals {
    let segment = Segment::of_weights(&[5, 1, 1], 0)
        .expect("small weights")
        .split(2, 1);
    match schedule(executor, &segment) {
        Schedule::Arrivals(arrivals) => arrivals,
        Schedule::Loop(_) | Schedule::Counted(_) => unreachable!("an arrival rate"),
    }
}

fn constant() -> Arrivals {
    arrivals(&Executor::ConstantArrivalRate {
        rate: 100_000,
        time_unit: SECOND,
        duration: HOUR,
        pre_allocated_vus: 1_000,
        max_vus: 1_000,
        max_lateness: SECOND,
    })
}

fn ramping() -> Arrivals {
    let stages = [50_000, 50_000, 200_000, 0]
        .map(|target| Stage {
            duration: HOUR / 4,
            target,
        })
        .to_vec();
    arrivals(&Executor::RampingArrivalRate {
        start_rate: 0,
        time_unit: SECOND,
        stages,
        pre_allocated_vus: 1_000,
        max_vus: 1_000,
        max_lateness: SECOND,
    })
}

/// Starts all over the schedule, in order.
fn starts(bencher: Bencher<'_, '_>, arrivals: &Arrivals) {
    const COUNT: u64 = 10_000;
    let step = arrivals.total() / COUNT;
    bencher
        .counter(divan::counter::ItemsCount::new(COUNT))
        .bench_local(|| {
            for k in 0..COUNT {
                black_box(arrivals.start(black_box(k * step)));
            }
        });
}

#[divan::bench]
fn start_at_a_constant_rate(bencher: Bencher<'_, '_>) {
    starts(bencher, &constant());
}

#[divan::bench]
fn start_at_a_ramping_rate(bencher: Bencher<'_, '_>) {
    starts(bencher, &ramping());
}

#[divan::bench]
fn scheduled_by_at_a_ramping_rate(bencher: Bencher<'_, '_>) {
    let arrivals = ramping();
    bencher.bench_local(|| arrivals.scheduled_by(black_box(HOUR / 3)));
}
