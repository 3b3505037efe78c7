//! When requests came, for benchmarks of pacing.

use std::fmt::Write as _;
use std::time::Instant;

/// Times that are kept at most: 80 MB.
const MAX_KEPT: usize = 10_000_000;

/// Times of requests, ns since the server's start.
pub(super) struct Arrivals {
    start: Instant,
    /// `None`: not asked for, and the clock is not read.
    at_ns: Option<Vec<u64>>,
}

impl Arrivals {
    pub(super) fn new(kept: bool) -> Self {
        Self {
            start: Instant::now(),
            at_ns: kept.then(Vec::new),
        }
    }

    /// Notes that `count` requests have just been read.
    pub(super) fn note(&mut self, count: usize) {
        if let Some(at_ns) = &mut self.at_ns {
            let now = u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX);
            let count = count.min(MAX_KEPT.saturating_sub(at_ns.len()));
            at_ns.extend(std::iter::repeat_n(now, count));
        }
    }

    /// All times since the last call as text, a line each.
    pub(super) fn take(&mut self) -> String {
        let taken = self.at_ns.as_mut().map(std::mem::take).unwrap_or_default();
        taken
            .iter()
            .fold(String::with_capacity(taken.len() * 12), |mut text, at| {
                // Writing to a string cannot fail.
                let _ = writeln!(text, "{at}");
                text
            })
    }
}
