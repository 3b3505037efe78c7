//! Two targets loaded in turns within one run.

use super::model::{Conditions, Tail, normal};
use floodgate_core::compare::{self, Effect, Settings, Statistic, Window};
use floodgate_core::histogram::Histogram;

/// Turns of a round of ten seconds: A B B A, and the other way round in every other one.
const TURNS: usize = 4;
/// Seconds of a turn.
const TURN_S: f64 = 2.5;
const P95: Statistic = Statistic::Quantile(0.95);

/// What both targets suffer alike while they take turns.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shared {
    /// Standard deviation of what requests of a turn share, as a logarithm.
    pub(crate) sd: f64,
    /// Seconds after which a third of it is left.
    pub(crate) memory_s: f64,
    /// By how much the second half of the run is slower, a ratio: a neighbour that came, or a machine that got hot.
    pub(crate) step: f64,
}

/// How often p95 of the second of two targets is found changed.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Found {
    pub(crate) worse: u32,
    pub(crate) better: u32,
    /// The interval excludes 1, whatever the size.
    pub(crate) excluded: u32,
}

/// Held to 99 %, with 1 % as the least effect.
fn settings(seed: u64) -> Settings {
    Settings {
        confidence: 0.99,
        min_effect: 0.01,
        gates: 1,
        seed,
    }
}

/// Loads two targets in turns so often, the second one slower by `factor`.
pub(crate) fn trials(of: &Conditions, shared: Shared, factor: f64, count: u32, seed: u64) -> Found {
    let mut found = Found::default();
    for trial in 0..u64::from(count) {
        let mut random = fastrand::Rng::with_seed(seed.wrapping_mul(1_000_003).wrapping_add(trial));
        let (base, head) = draw(of, shared, factor, &mut random);
        let settings = settings(random.u64(..));
        let compared = compare::paired(P95, &base, &head, &settings).expect("enough rounds");
        found.worse += u32::from(compared.effect == Effect::More);
        found.better += u32::from(compared.effect == Effect::Less);
        let interval = compared.interval;
        found.excluded += u32::from(interval.low > 1.0 || interval.high < 1.0);
    }
    found
}

fn draw(
    of: &Conditions,
    shared: Shared,
    factor: f64,
    random: &mut fastrand::Rng,
) -> (Vec<Window>, Vec<Window>) {
    let memory = (-TURN_S / shared.memory_s).exp();
    let innovation = shared.sd * (1.0 - memory * memory).sqrt();
    let mut level = shared.sd * normal(random);
    let (mut base, mut head) = (Vec::new(), Vec::new());
    for round in 0..of.windows {
        let mut sides = [Histogram::new(), Histogram::new()];
        let step = if round * 2 < of.windows {
            1.0
        } else {
            shared.step
        };
        for turn in 0..TURNS {
            let is_head = (turn == 1 || turn == 2) != (round % 2 == 1);
            let slower = if is_head { factor } else { 1.0 };
            let median_us = 20_000.0 * slower * step * level.exp();
            for _ in 0..(of.rate as f64 * TURN_S) as u64 {
                let us = median_us * of.tail.draw(random);
                sides[usize::from(is_head)].record(us as u64);
            }
            level = memory * level + innovation * normal(random);
        }
        let [b, h] = sides.map(|histogram| Window {
            count: histogram.count(),
            sum: histogram.sum() as f64,
            histogram: Some(histogram),
        });
        base.push(b);
        head.push(h);
    }
    (base, head)
}

/// Ten minutes at so many requests a second.
pub(crate) const fn ten_minutes(rate: u64, tail: Tail) -> Conditions {
    Conditions {
        rate,
        windows: 60,
        tail,
        ..Conditions::CALM
    }
}
