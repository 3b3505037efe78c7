//! How often the interval of a capacity contains the truth, and what it costs: the table of `docs/capacity.md`.

use super::queue::Target;
use fastrand::Rng;
use floodgate_core::capacity::{Interval, Next, Search, Trial, judged_between};
use floodgate_core::definition::model::CapacitySpec;
use std::time::Duration;

/// Settling and judged part of a step, in s, as they are by default.
const STEP_S: (f64, f64) = (5.0, 15.0);
/// The same as the search takes it.
const SPEC: CapacitySpec = CapacitySpec {
    start: None,
    max: None,
    precision: 0.05,
    settle: Duration::from_secs(5),
    step: Duration::from_secs(15),
    max_duration: Duration::MAX,
};
/// Steps that a search may have.
const MOST_STEPS: usize = 200;

/// What came of one search.
struct Found {
    interval: Option<Interval>,
    steps: usize,
    /// Iterations that were sent.
    sent: f64,
}

pub(crate) fn table(count: u32) {
    println!(
        "{count} searches a row; precision ±5 %, steps of {} s of which {} s settle; the first load is a tenth of the capacity.\n",
        STEP_S.0 + STEP_S.1,
        STEP_S.0
    );
    println!(
        "| Target | Capacity | Interval has it | Estimate within 5 % | Mean estimate | Steps | Ramp by 5 %: within 5 % | Iterations, ramp = 1 | Ramp as exact: its steps | Iterations, that ramp = 1 |"
    );
    println!("|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|");
    for (seed, (name, target)) in (1..).zip(targets()) {
        row(name, &target, count, seed);
    }
}

fn targets() -> Vec<(&'static str, Target)> {
    let queue = |servers, mu, limit_s, pauses| Target::Queue {
        servers,
        mu,
        limit_s,
        pauses,
    };
    vec![
        (
            "M/M/1, 500/s a server, p95 < 20 ms",
            queue(1, 500.0, 0.02, 0.0),
        ),
        (
            "M/M/4, 50/s a server, p95 < 100 ms",
            queue(4, 50.0, 0.1, 0.0),
        ),
        (
            "M/M/8, 100/s a server, p95 < 50 ms",
            queue(8, 100.0, 0.05, 0.0),
        ),
        (
            "M/M/32, 20/s a server, p95 < 200 ms",
            queue(32, 20.0, 0.2, 0.0),
        ),
        (
            "Token bucket, 400/s, 40 tokens, refused < 1 %",
            Target::Bucket {
                rate: 400.0,
                burst: 40.0,
            },
        ),
        (
            "M/M/8 as above, a pause of 100 ms a minute",
            queue(8, 100.0, 0.05, 1.0 / 60.0),
        ),
    ]
}

fn row(name: &str, target: &Target, count: u32, seed: u64) {
    let truth = target.capacity();
    let close = |load: f64| u32::from((load / truth - 1.0).abs() <= 0.05);
    let rng = |n: u32| Rng::with_seed(seed * 1_000_000 + u64::from(n));
    let (mut contained, mut near, mut estimates, mut steps, mut sent) = (0, 0, 0.0, 0, 0.0);
    for n in 0..count {
        let found = search(target, truth / 10.0, &mut rng(n));
        if let Some(interval) = found.interval {
            contained += u32::from(interval.low <= truth && truth <= interval.high);
            near += close(interval.estimate);
            estimates += interval.estimate;
        }
        steps += found.steps;
        sent += found.sent;
    }
    // A ramp whose steps are longer: it is nearer the truth, and costs more.
    let ramps = |times: f64| {
        let each = (0..count).map(|n| ramp(target, truth, times, &mut rng(count + n)));
        each.fold((0, 0.0), |(near, sent), (last, cost)| {
            (near + close(last), sent + cost)
        })
    };
    let (ramp_near, ramp_sent) = ramps(1.0);
    let as_exact = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0]
        .into_iter()
        .find_map(|times| {
            let (ramp_near, ramp_sent) = ramps(times);
            (ramp_near >= near).then_some((times, ramp_sent))
        });
    let share = |n: u32| format!("{:.1} %", f64::from(n) * 100.0 / f64::from(count));
    let (times, ratio) = as_exact.map_or(
        ("> 32 times".into(), "–".into()),
        |(times, exact_sent)| {
            (
                format!("{times} times"),
                format!("{:.2}", sent / exact_sent),
            )
        },
    );
    println!(
        "| {name} | {truth:.1}/s | {} | {} | {:+.1} % | {:.1} | {} | {:.2} | {times} | {ratio} |",
        share(contained),
        share(near),
        (estimates / f64::from(count) / truth - 1.0) * 100.0,
        steps as f64 / f64::from(count),
        share(ramp_near),
        sent / ramp_sent,
    );
}

fn search(target: &Target, start: f64, rng: &mut Rng) -> Found {
    let search = Search {
        start,
        max: None,
        precision: 0.05,
        whole: false,
    };
    let mut trials: Vec<Trial> = Vec::new();
    let mut sent = 0.0;
    let interval = loop {
        match search.next(&trials) {
            Next::Try(load) if trials.len() < MOST_STEPS => {
                let is_near = Search::is_bracketed(&trials);
                let (settled, until) = judged_between(&SPEC, Duration::ZERO, load, is_near);
                let step_s = (settled.as_secs_f64(), (until - settled).as_secs_f64());
                sent += load * (step_s.0 + step_s.1);
                let held = target.step(load, step_s, rng);
                trials.push(Trial { load, held });
            }
            Next::Found(interval) => break Some(interval),
            _ => break None,
        }
    };
    Found {
        interval,
        steps: trials.len(),
        sent,
    }
}

/// A ramp from a tenth of the capacity up by 5 % of it, with steps so many times as long, until one breaks: the last load that held,
/// and the iterations sent.
fn ramp(target: &Target, truth: f64, times: f64, rng: &mut Rng) -> (f64, f64) {
    let step_s = (STEP_S.0, STEP_S.1 * times);
    let (mut held, mut sent) = (0.0, 0.0);
    for n in 2_u32.. {
        let load = truth * 0.05 * f64::from(n);
        sent += load * (step_s.0 + step_s.1);
        if !target.step(load, step_s, rng) {
            break;
        }
        held = load;
    }
    (held, sent)
}
