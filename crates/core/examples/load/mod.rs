//! The load that examples make up: lognormal times of requests, one in 100 of them slow.

// Not every example needs all of it.
#![allow(dead_code)]

/// What times are drawn from.
pub(crate) struct Random(fastrand::Rng);

/// Times of one request, µs.
pub(crate) struct Times {
    pub(crate) blocked: u64,
    pub(crate) sending: u64,
    pub(crate) waiting: u64,
    pub(crate) receiving: u64,
    pub(crate) lag: u64,
}

impl Random {
    pub(crate) fn with_seed(seed: u64) -> Self {
        Self(fastrand::Rng::with_seed(seed))
    }

    /// A lognormal time, µs.
    pub(crate) fn lognormal(&mut self, median: f64, sigma: f64) -> u64 {
        // Box and Muller's normal deviate.
        let (u, v) = (1.0 - self.0.f64(), self.0.f64());
        let normal = (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos();
        (median * (sigma * normal).exp()) as u64
    }

    /// A time to the first byte, µs: one in 100 takes five times as long.
    pub(crate) fn waiting(&mut self, median: f64, sigma: f64) -> u64 {
        let slow = if self.0.u32(..100) == 0 { 5 } else { 1 };
        self.lognormal(median, sigma) * slow
    }

    /// A request; `median` and `sigma` are those of the time to its first byte.
    pub(crate) fn request(&mut self, median: f64, sigma: f64) -> Times {
        Times {
            waiting: self.waiting(median, sigma),
            sending: self.lognormal(15.0, 0.3),
            receiving: self.lognormal(40.0, 0.5),
            blocked: self.lognormal(3.0, 0.4),
            lag: self.lognormal(60.0, 0.4),
        }
    }

    /// Bytes of an answer.
    pub(crate) fn received(&mut self) -> u64 {
        900 + self.0.u64(..200)
    }
}

impl Times {
    /// From the first byte sent to the last one received.
    pub(crate) fn duration(&self) -> u64 {
        self.sending + self.waiting + self.receiving
    }

    /// From the intended start.
    pub(crate) fn response(&self) -> u64 {
        self.duration() + self.blocked + self.lag
    }
}
