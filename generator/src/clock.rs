//! Monotonic time as nanoseconds since a common origin, cheap to copy and to subtract; and the time of day.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Unix time in µs, by this machine's clock.
pub fn unix_us() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}

/// Unix time in ms, by this machine's clock.
pub fn unix_ms() -> i64 {
    unix_us() / 1_000
}

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
