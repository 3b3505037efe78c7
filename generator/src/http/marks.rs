//! When the phases of an exchange ended, while it is under way.

use super::exchange::{Timings, Version};
use crate::clock::Nanos;

/// Points on the worker's clock; 0 is "not yet".
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Marks {
    /// A connection was there.
    pub(super) ready: Nanos,
    /// The last byte was written.
    pub(super) wrote: Nanos,
    /// The first byte was read.
    pub(super) first: Nanos,
    /// The last byte was read, or the exchange failed.
    pub(super) end: Nanos,
    /// Durations within the wait for the connection.
    pub(super) looking_up: Nanos,
    pub(super) connecting: Nanos,
    pub(super) tls: Nanos,
    /// Bytes, of all attempts.
    pub(super) sent: u64,
    pub(super) received: u64,
    pub(super) version: Version,
}

impl Marks {
    /// Another attempt: what was sent was sent, but the phases begin anew.
    pub(super) fn restart(&mut self) {
        *self = Self {
            sent: self.sent,
            received: self.received,
            ..Self::default()
        };
    }

    /// The phases of an exchange that ended; one that was cut short lasted until then, later ones did not happen.
    #[inline]
    pub(super) fn timings(&self, begin: Nanos) -> Timings {
        let or = |mark: Nanos, other: Nanos| if mark == 0 { other } else { mark };
        let end = self.end;
        let ready = or(self.ready, end);
        let first = or(self.first, end);
        // a response may come before the whole request was written
        let wrote = or(self.wrote, first).min(first);
        Timings {
            begin,
            end,
            blocked: ready.saturating_sub(begin),
            looking_up: self.looking_up,
            connecting: self.connecting,
            tls: self.tls,
            sending: wrote.saturating_sub(ready),
            waiting: first.saturating_sub(wrote),
            receiving: end.saturating_sub(first),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phases(ready: Nanos, wrote: Nanos, first: Nanos, end: Nanos) -> [Nanos; 4] {
        let timings = Marks {
            ready,
            wrote,
            first,
            end,
            ..Marks::default()
        }
        .timings(10);
        assert_eq!(timings.blocked + timings.duration(), end - 10);
        [
            timings.blocked,
            timings.sending,
            timings.waiting,
            timings.receiving,
        ]
    }

    #[test]
    fn phases_add_up_wherever_an_exchange_ends() {
        assert_eq!(phases(11, 13, 17, 22), [1, 2, 4, 5]);
        assert_eq!(phases(11, 13, 17, 17), [1, 2, 4, 0]);
        assert_eq!(phases(11, 13, 0, 22), [1, 2, 9, 0]);
        assert_eq!(phases(11, 0, 0, 22), [1, 11, 0, 0]);
        assert_eq!(phases(0, 0, 0, 22), [12, 0, 0, 0]);
        // the response came before the request was written
        assert_eq!(phases(11, 0, 17, 22), [1, 6, 0, 5]);
        assert_eq!(phases(11, 19, 17, 22), [1, 6, 0, 5]);
    }
}
