//! Simulated runs: what load tests do to those who compare them, in known amounts.

use floodgate_core::compare::Window;
use floodgate_core::histogram::Histogram;

/// How requests of one window are spread.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Tail {
    /// Lognormal, with this deviation of the logarithm.
    Lognormal(f64),
    /// Lognormal, and every twentieth request by a Pareto law of shape 1.5: its variance is infinite.
    Pareto,
}

/// What a run is like, and what it suffers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Conditions {
    /// Requests a second.
    pub(crate) rate: u64,
    /// Windows of ten seconds.
    pub(crate) windows: usize,
    /// Requests of a window.
    pub(crate) tail: Tail,
    /// Standard deviation of what all requests of a window share, as a logarithm.
    pub(crate) window_sd: f64,
    /// How much of that goes on into the next window, in [0, 1).
    pub(crate) memory: f64,
    /// Standard deviation of what all requests of a run share, as a logarithm.
    pub(crate) run_sd: f64,
    /// How much slower a run begins, a ratio, and for how many windows; each run draws both up to here.
    pub(crate) warmup: (f64, usize),
    /// The share of requests that fail.
    pub(crate) failing: f64,
}

impl Conditions {
    /// Five minutes at 200/s with nothing but requests that differ.
    pub(crate) const CALM: Self = Self {
        rate: 200,
        windows: 30,
        tail: Tail::Lognormal(0.5),
        window_sd: 0.0,
        memory: 0.0,
        run_sd: 0.0,
        warmup: (1.0, 0),
        failing: 0.002,
    };
}

/// One run: its trend, and which of its requests failed.
pub(crate) struct Run {
    pub(crate) times: Vec<Window>,
    pub(crate) failed: Vec<Window>,
}

/// Draws a run whose requests take `factor` as long.
pub(crate) fn draw(of: &Conditions, factor: f64, random: &mut fastrand::Rng) -> Run {
    let level = 20_000.0 * factor * (of.run_sd * normal(random)).exp();
    let innovation = of.window_sd * (1.0 - of.memory * of.memory).sqrt();
    let mut shared = of.window_sd * normal(random);
    let slower = 1.0 + (of.warmup.0 - 1.0) * random.f64();
    let warm = random.usize(0..=of.warmup.1);
    let mut run = Run {
        times: Vec::with_capacity(of.windows),
        failed: Vec::with_capacity(of.windows),
    };
    for at in 0..of.windows {
        let begin = if at < warm {
            1.0 + (slower - 1.0) * (1.0 - at as f64 / warm as f64)
        } else {
            1.0
        };
        run.push(of, level * begin * shared.exp(), random);
        shared = of.memory * shared + innovation * normal(random);
    }
    run
}

impl Run {
    fn push(&mut self, of: &Conditions, median_us: f64, random: &mut fastrand::Rng) {
        let mut histogram = Histogram::new();
        let mut failed = 0;
        for _ in 0..of.rate * 10 {
            histogram.record((median_us * of.tail.draw(random)) as u64);
            failed += u64::from(random.f64() < of.failing);
        }
        let window = Window {
            count: histogram.count(),
            sum: histogram.sum() as f64,
            histogram: Some(histogram),
        };
        self.failed.push(Window {
            count: window.count,
            sum: failed as f64,
            histogram: None,
        });
        self.times.push(window);
    }
}

impl Tail {
    pub(crate) fn draw(self, random: &mut fastrand::Rng) -> f64 {
        match self {
            Self::Lognormal(deviation) => (deviation * normal(random)).exp(),
            Self::Pareto if random.u32(0..20) == 0 => 2.0 * (1.0 - random.f64()).powf(-1.0 / 1.5),
            Self::Pareto => (0.4 * normal(random)).exp(),
        }
    }
}

/// A standard normal variable (Marsaglia & Bray 1964, the second one thrown away).
pub(crate) fn normal(random: &mut fastrand::Rng) -> f64 {
    loop {
        let (x, y) = (2.0 * random.f64() - 1.0, 2.0 * random.f64() - 1.0);
        let s = x * x + y * y;
        if s > 0.0 && s < 1.0 {
            return x * (-2.0 * s.ln() / s).sqrt();
        }
    }
}
