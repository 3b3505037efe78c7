//! Monotonic time as nanoseconds since a common origin, cheap to copy and to subtract.

use std::time::Instant;

/// Nanoseconds since the origin of a [`Clock`].
pub type Nanos = u64;

/// A monotonic clock with an origin. Copies share the origin, so that times of all workers of a task compare.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    origin: Instant,
}

impl Clock {
    /// A clock whose origin is now.
    pub fn start() -> Self {
        Self {
            origin: Instant::now(),
        }
    }

    /// Nanoseconds since the origin (overflows after 584 years).
    #[inline]
    pub fn now(&self) -> Nanos {
        self.origin.elapsed().as_nanos() as u64
    }
}
