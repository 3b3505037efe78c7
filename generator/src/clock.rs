//! Monotonic time as nanoseconds since a common origin, cheap to copy and to subtract; and the time of day.

use rustix::time::{ClockId, clock_gettime};
use std::sync::LazyLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Time since the machine was started, the time that it was asleep included, which a monotonic clock leaves out. No setting of
/// the time of day changes it.
pub fn boot_time() -> Duration {
    let time = clock_gettime(ClockId::Boottime);
    Duration::new(
        u64::try_from(time.tv_sec).unwrap_or(0),
        u32::try_from(time.tv_nsec).unwrap_or(0),
    )
}

/// A time of day that was read once and goes on by itself.
#[derive(Clone, Copy, Debug)]
struct Steady {
    /// Unix µs.
    origin_us: i64,
    /// The same moment by [`boot_time`].
    origin: Duration,
}

impl Steady {
    fn now() -> Self {
        Self {
            origin_us: time_of_day_us(),
            origin: boot_time(),
        }
    }

    /// What [`hand_down`] gave.
    fn handed_down(text: &str) -> Option<Self> {
        let (origin_us, origin) = text.split_once('@')?;
        Some(Self {
            origin_us: origin_us.parse().ok()?,
            origin: Duration::from_micros(origin.parse().ok()?),
        })
    }

    fn at(self, now: Duration) -> i64 {
        let passed = now.saturating_sub(self.origin).as_micros();
        self.origin_us
            .saturating_add(i64::try_from(passed).unwrap_or(i64::MAX))
    }
}

/// Unix time in µs: this machine's time of day when this process, or the one that started it as a part of its run, first asked for it, and
/// what has passed since. So a clock that is set
/// while a run goes on moves neither its start nor its end, and makes no task look dead.
pub fn unix_us() -> i64 {
    STEADY.at(boot_time())
}

/// Where a process finds the time of day that the one which started it goes by.
pub const CLOCK_VARIABLE: &str = "FLOODGATE_CLOCK";

static STEADY: LazyLock<Steady> = LazyLock::new(|| {
    let given = std::env::var(CLOCK_VARIABLE).ok();
    given
        .and_then(|text| Steady::handed_down(&text))
        .unwrap_or_else(Steady::now)
});

/// The value of [`CLOCK_VARIABLE`] for a process on this machine: both go by one time of day, though the clock is set between their starts.
pub fn hand_down() -> String {
    format!("{}@{}", STEADY.origin_us, STEADY.origin.as_micros())
}

/// Unix time in ms; see [`unix_us`].
pub fn unix_ms() -> i64 {
    unix_us() / 1_000
}

/// Unix time in µs by this machine's clock as it is set now.
fn time_of_day_us() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}

/// Nanoseconds since the origin of a [`Clock`].
pub type Nanos = u64;

/// A duration in whole nanoseconds; a quarter of the largest for what does not fit, so that a few of them can be added.
pub(crate) fn nanos(duration: Duration) -> Nanos {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX / 4)
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_day_is_read_once_and_goes_on() {
        let steady = Steady {
            origin_us: 1_700_000_000_000_000,
            origin: Duration::from_secs(50),
        };
        assert_eq!(
            steady.at(Duration::from_millis(52_500)),
            1_700_000_002_500_000
        );
        assert_eq!(steady.at(Duration::ZERO), 1_700_000_000_000_000);
    }

    #[test]
    fn a_time_of_day_that_was_handed_down_is_the_same() {
        let now = boot_time();
        let text = hand_down();
        let given = Steady::handed_down(&text).map(|steady| steady.at(now));
        assert!(
            given.is_some_and(|given| given.abs_diff(STEADY.at(now)) <= 1),
            "{text}"
        );
        for odd in ["", "@", "1", "x@1", "1@-1"] {
            assert!(Steady::handed_down(odd).is_none(), "{odd}");
        }
    }

    #[test]
    fn both_clocks_advance() {
        let (boot, unix) = (boot_time(), unix_us());
        std::thread::sleep(Duration::from_millis(2));
        assert!(boot_time().saturating_sub(boot) >= Duration::from_millis(2));
        assert!(unix_us() - unix >= 2_000);
    }
}
