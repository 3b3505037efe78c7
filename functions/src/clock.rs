//! Time, so that tests need none.

use async_trait::async_trait;
use std::time::{Duration, SystemTime};

/// The time of day, and waiting.
#[async_trait]
pub trait Clock: Send + Sync {
    /// Unix ms.
    fn now_ms(&self) -> i64;
    /// Waits.
    async fn sleep(&self, time: Duration);
}

/// The machine's.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

#[async_trait]
impl Clock for SystemClock {
    fn now_ms(&self) -> i64 {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        since.map_or(0, |d| i64::try_from(d.as_millis()).unwrap_or(i64::MAX))
    }

    async fn sleep(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}

/// Whole milliseconds.
pub(crate) fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

/// The time from one moment to another; zero if it is the other way round.
pub(crate) fn between(from_ms: i64, to_ms: i64) -> Duration {
    Duration::from_millis(u64::try_from(to_ms.saturating_sub(from_ms)).unwrap_or(0))
}
