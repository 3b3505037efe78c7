//! W3C trace context (<https://www.w3.org/TR/trace-context/>): which requests carry one, and which of those are kept as examples, so that a slow
//! request can be found where the target's own traces are.

use crate::clock::Nanos;
use floodgate_records::failure::FailureLog;
use std::cell::Cell;

/// The header's name.
pub(super) const HEADER: &str = "traceparent";

/// The tracing of one step by one worker.
#[derive(Debug)]
pub(crate) struct Tracing {
    /// The share of requests that are traced, in (0, 1].
    ratio: f64,
    /// The times of the slowest so far, ascending; a new one has to be above the first.
    slowest: Cell<[Nanos; FailureLog::MAX_SLOWEST]>,
}

impl Tracing {
    pub(crate) const fn new(ratio: f64) -> Self {
        Self {
            ratio,
            slowest: Cell::new([0; FailureLog::MAX_SLOWEST]),
        }
    }

    /// The trace of the next request, if it is to have one.
    pub(super) fn draw(&self, random: &mut fastrand::Rng) -> Option<Trace> {
        // An id of zeros is not a valid one.
        (random.f64() < self.ratio).then(|| Trace(random.u128(1..)))
    }

    /// Whether a request that took so long is among the slowest so far; counts it.
    pub(super) fn admits(&self, took: Nanos) -> bool {
        let mut slowest = self.slowest.get();
        let admitted = took > slowest[0];
        if admitted {
            slowest[0] = took;
            slowest.sort_unstable();
            self.slowest.set(slowest);
        }
        admitted
    }
}

/// The id of a trace, which a request begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Trace(u128);

impl Trace {
    /// Its id, 32 lower-case hexadecimal digits.
    pub(super) fn id(self) -> String {
        format!("{:032x}", self.0)
    }

    /// The header's value, with a parent of its own for each exchange; always sampled, since the ratio has decided.
    pub(super) fn header(self, random: &mut fastrand::Rng) -> String {
        format!("00-{:032x}-{:016x}-01", self.0, random.u64(1..))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_that_is_asked_for_is_traced() {
        let mut random = fastrand::Rng::with_seed(7);
        let mut drawn = |ratio: f64| {
            let tracing = Tracing::new(ratio);
            (0..10_000)
                .filter(|_| tracing.draw(&mut random).is_some())
                .count()
        };
        assert_eq!(drawn(1.0), 10_000);
        assert!((60..150).contains(&drawn(0.01)));
    }

    #[test]
    fn a_header_is_as_the_standard_wants_it() {
        let mut random = fastrand::Rng::with_seed(1);
        let header = Trace(0xab).header(&mut random);
        let parts: Vec<_> = header.split('-').collect();
        assert_eq!((parts[0], parts[3]), ("00", "01"));
        assert_eq!(parts[1], "000000000000000000000000000000ab");
        assert!(
            parts[2].len() == 16 && parts[2] != "0000000000000000",
            "{header}"
        );
        assert_ne!(header, Trace(0xab).header(&mut random));
    }

    #[test]
    fn only_the_slowest_are_admitted() {
        let tracing = Tracing::new(1.0);
        let admitted: Vec<_> = (1..=100)
            .rev()
            .filter(|took| tracing.admits(*took))
            .collect();
        assert_eq!(admitted, [100, 99, 98, 97, 96]);
        assert!(tracing.admits(1_000) && !tracing.admits(96));
    }
}
