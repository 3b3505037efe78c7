//! How far this machine's clock is from the store's.
//!
//! All tasks start at one absolute time, each by its own clock. A store's answers carry its time in whole seconds (the
//! `Date` header), and were written between the request and the answer. That bounds the offset from both sides; each
//! further answer at another moment of the second narrows it, down to about the time that an answer takes.

use std::sync::Mutex;

/// Where the offset lies: the store's clock minus ours, in µs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offset {
    /// At least.
    pub min_us: i64,
    /// At most.
    pub max_us: i64,
}

impl Offset {
    /// What is certainly wrong, in µs; 0 if the clocks may agree.
    pub fn certain_us(self) -> u64 {
        if self.min_us > 0 {
            self.min_us.unsigned_abs()
        } else if self.max_us < 0 {
            self.max_us.unsigned_abs()
        } else {
            0
        }
    }

    /// A sentence for the record, if the offset is certainly above `limit_us`.
    pub fn warning(self, limit_us: u64) -> Option<String> {
        let wrong = self.certain_us();
        (wrong > limit_us).then(|| {
            format!(
                "this task's clock is at least {} ms {} the store's, more than {} ms: it starts that much {} than the others",
                wrong / 1_000,
                if self.min_us > 0 { "behind" } else { "ahead of" },
                limit_us / 1_000,
                if self.min_us > 0 { "later" } else { "earlier" },
            )
        })
    }
}

/// What the answers of a store say about this machine's clock.
#[derive(Debug, Default)]
pub struct ServerClock(Mutex<Option<Offset>>);

impl ServerClock {
    /// An answer that carries the time `date_s` (Unix seconds), to a request sent at `sent_us` and answered by
    /// `received_us` (Unix µs of our clock).
    pub fn learn(&self, date_s: i64, sent_us: i64, received_us: i64) {
        let date_us = date_s.saturating_mul(1_000_000);
        let seen = Offset {
            min_us: date_us.saturating_sub(received_us),
            max_us: date_us.saturating_add(1_000_000).saturating_sub(sent_us),
        };
        let mut known = self
            .0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let both = known.map_or(seen, |known| Offset {
            min_us: known.min_us.max(seen.min_us),
            max_us: known.max_us.min(seen.max_us),
        });
        // Bounds that exclude each other: a clock was set in between, and the newer answer counts.
        *known = Some(if both.min_us <= both.max_us {
            both
        } else {
            seen
        });
    }

    /// What is known; `None` before the first answer.
    pub fn offset(&self) -> Option<Offset> {
        *self
            .0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Whatever the true offset, the moments and the delays: it lies within the bounds.
        #[test]
        fn the_true_offset_lies_within_the_bounds(
            offset in -3_000_000_i64..3_000_000,
            answers in proptest::collection::vec((0_i64..100_000_000, 0_i64..80_000, 0_i64..80_000), 1..20),
        ) {
            let clock = ServerClock::default();
            for (sent, to, back) in answers {
                let sent = 1_700_000_000_000_000 + sent;
                let date_s = (sent + to + offset).div_euclid(1_000_000);
                clock.learn(date_s, sent, sent + to + back);
            }
            let known = clock.offset().unwrap();
            prop_assert!(known.min_us <= offset && offset <= known.max_us, "{known:?}");
            prop_assert!(known.certain_us() <= offset.unsigned_abs());
        }
    }

    #[test]
    fn answers_all_over_the_second_narrow_the_bounds() {
        let clock = ServerClock::default();
        let offset = 70_000;
        for step in 0..20 {
            let sent: i64 = 1_700_000_000_000_000 + step * 250_000 + step * 13_000;
            clock.learn(
                (sent + 1_000 + offset).div_euclid(1_000_000),
                sent,
                sent + 2_000,
            );
        }
        let known = clock.offset().unwrap();
        assert!(known.max_us - known.min_us < 60_000, "{known:?}");
        assert!(known.warning(100_000).is_none());
        let far = Offset {
            min_us: -300_000,
            max_us: -120_000,
        };
        assert!(
            far.warning(50_000)
                .unwrap()
                .contains("at least 120 ms ahead of")
        );
        assert!(
            Offset {
                min_us: -1,
                max_us: 900_000
            }
            .warning(50_000)
            .is_none()
        );
    }

    #[test]
    fn a_clock_that_was_set_is_believed_anew() {
        let clock = ServerClock::default();
        clock.learn(1_000, 1_000_400_000, 1_000_400_000);
        clock.learn(1_010, 1_000_500_000, 1_000_500_000);
        assert_eq!(
            clock.offset(),
            Some(Offset {
                min_us: 9_500_000,
                max_us: 10_500_000
            })
        );
    }
}
