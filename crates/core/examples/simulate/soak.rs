//! Runs of hours, with and without a leak: how often its slope is found, and what is found where there is none.

use super::model::{Tail, normal};
use floodgate_core::drift::{Scale, Seen, slope, steps};
use floodgate_core::histogram::Histogram;

/// Seconds of a window of noise; slopes are taken over longer ones.
const GRAIN_S: usize = 10;

/// What a run suffers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hours {
    /// How long it is.
    pub(crate) hours: f64,
    /// Requests a second.
    pub(crate) rate: usize,
    /// Requests of a window.
    pub(crate) tail: Tail,
    /// Standard deviation of what all requests of ten seconds share, as a logarithm, and how much of it goes on into the next ten seconds.
    pub(crate) noise: (f64, f64),
    /// The same of a slow wave, and the minutes after which a third of it is left.
    pub(crate) wave: (f64, f64),
}

impl Hours {
    pub(crate) const CALM: Self = Self {
        hours: 8.0,
        rate: 10,
        tail: Tail::Lognormal(0.5),
        noise: (0.0, 0.0),
        wave: (0.0, 1.0),
    };

    /// Seconds of a window, as the run has them.
    fn window_s(&self) -> usize {
        let grains = (self.hours * 3_600.0) as usize / GRAIN_S;
        GRAIN_S * grains.div_ceil(96)
    }

    /// The p95 of each window, in ms, of a run whose requests take a share `an_hour` longer each hour, and `step` as long from the middle on.
    pub(crate) fn draw(&self, an_hour: f64, step: f64, random: &mut fastrand::Rng) -> Vec<Seen> {
        let window_s = self.window_s();
        let (sd, memory) = self.noise;
        let (wave_sd, minutes) = self.wave;
        let slow = (-(GRAIN_S as f64) / 60.0 / minutes).exp();
        let next = |state: f64, sd: f64, memory: f64, random: &mut fastrand::Rng| {
            memory * state + sd * (1.0 - memory * memory).sqrt() * normal(random)
        };
        let mut shared = sd * normal(random);
        let mut wave = wave_sd * normal(random);
        let windows = (self.hours * 3_600.0) as usize / window_s;
        let mut seen = Vec::with_capacity(windows);
        for window in 0..windows {
            let mut histogram = Histogram::new();
            for grain in 0..window_s / GRAIN_S {
                let at_h = (window * window_s + grain * GRAIN_S) as f64 / 3_600.0;
                let stepped = if at_h < self.hours / 2.0 { 1.0 } else { step };
                let leak = (1.0 + an_hour).powf(at_h) * stepped;
                let median_us = 20_000.0 * leak * (shared + wave).exp();
                for _ in 0..self.rate * GRAIN_S {
                    histogram.record((median_us * self.tail.draw(random)) as u64);
                }
                shared = next(shared, sd, memory, random);
                wave = next(wave, wave_sd, slow, random);
            }
            seen.push(Seen {
                at_h: (window as f64 + 0.5) * window_s as f64 / 3_600.0,
                value: histogram.quantile(0.95) as f64 / 1e3,
                of: histogram.count() as f64,
            });
        }
        seen
    }
}

/// How often something was said of so many runs.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Found {
    /// The slope is surely not 0.
    pub(crate) sure: u32,
    /// The interval misses the true slope.
    pub(crate) missed: u32,
    /// `trend(p(95))<0.5%/h` is breached.
    pub(crate) breached: u32,
    /// It holds.
    pub(crate) holds: u32,
    /// A change point is named.
    pub(crate) stepped: u32,
    /// One within three windows of the middle is.
    pub(crate) in_place: u32,
}

/// Draws so many runs. `level` is the chance of an error that each slope may have.
pub(crate) fn trials(of: &Hours, an_hour: f64, step: f64, count: u32, seed: u64) -> Found {
    const LIMIT: f64 = 0.005;
    const LEVEL: f64 = 0.05;
    let mut found = Found::default();
    for trial in 0..u64::from(count) {
        let mut random = fastrand::Rng::with_seed(seed.wrapping_mul(1_000_003).wrapping_add(trial));
        let seen = of.draw(an_hour, step, &mut random);
        let estimate = slope(Scale::Time, &seen, LEVEL, random.u64(..));
        found.sure += u32::from(estimate.low > 0.0 || estimate.high < 0.0);
        found.missed += u32::from(estimate.low > an_hour || estimate.high < an_hour);
        found.breached += u32::from(estimate.low >= LIMIT);
        found.holds += u32::from(estimate.high < LIMIT);
        let points = steps(Scale::Time, &seen);
        found.stepped += u32::from(!points.is_empty());
        let middle = seen.len() / 2;
        let near = points.iter().any(|p| p.index.abs_diff(middle) <= 3);
        found.in_place += u32::from(near);
    }
    found
}

fn conditions() -> Vec<(&'static str, Hours)> {
    let calm = Hours::CALM;
    let noise = |sd, memory| Hours {
        noise: (sd, memory),
        ..calm
    };
    let wave = |sd, minutes| Hours {
        wave: (sd, minutes),
        ..noise(0.03, 0.5)
    };
    vec![
        ("8 h, requests only (lognormal)", calm),
        ("8 h, 3 % for 10 s, memory 0.5", noise(0.03, 0.5)),
        ("8 h, 10 % for 10 s, memory 0.7", noise(0.10, 0.7)),
        (
            "8 h, heavy tail (Pareto 1.5), 5 % for 10 s, memory 0.5",
            Hours {
                tail: Tail::Pareto,
                ..noise(0.05, 0.5)
            },
        ),
        ("8 h, and a wave of 2 % for 5 min", wave(0.02, 5.0)),
        ("8 h, and a wave of 2 % for 15 min", wave(0.02, 15.0)),
        ("8 h, and a wave of 2 % for 1 h", wave(0.02, 60.0)),
        (
            "2 h, 3 % for 10 s, memory 0.5",
            Hours {
                hours: 2.0,
                ..noise(0.03, 0.5)
            },
        ),
        (
            "24 h, and a wave of 2 % for 15 min",
            Hours {
                hours: 24.0,
                rate: 4,
                ..wave(0.02, 15.0)
            },
        ),
    ]
}

/// Prints the table of `docs/soak.md`.
pub(crate) fn table(count: u32) {
    println!(
        "Runs at 10 requests a second (24 h: 4); 95 %; {count} runs a cell. Columns without a leak: how often a slope was found, and how often the threshold \
         `trend(p(95))<0.5%/h` was breached and held; with a leak of 1 % an hour: how often it was found, the threshold was breached, and the \
         interval missed the truth; last, how often a change point was named where there is none, in a leak, and at a step of 10 % in the middle.\n"
    );
    println!(
        "| What varies | no leak: found | breached | holds | 1 %/h: found | breached | missed | no step: named | in a leak | step found |"
    );
    println!("|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|");
    for (seed, (name, of)) in (301..).zip(conditions()) {
        let [none, leak, step] = std::thread::scope(|scope| {
            let cells = [(0.0, 1.0, 0), (0.01, 1.0, 1_000), (0.0, 1.1, 2_000)];
            let started = cells.map(|(an_hour, step, more)| {
                scope.spawn(move || trials(&of, an_hour, step, count, seed + more))
            });
            started.map(|thread| thread.join().expect("no trial fails"))
        });
        let share = |n: u32| format!("{:.1} %", f64::from(n) * 100.0 / f64::from(count));
        println!(
            "| {name} | {} | {} | {} | {} | {} | {} | {} | {} | {} |",
            share(none.sure),
            share(none.breached),
            share(none.holds),
            share(leak.sure),
            share(leak.breached),
            share(leak.missed),
            share(none.stepped),
            share(leak.stepped),
            share(step.in_place),
        );
    }
}
