//! When a notice is tried again.

use std::time::Duration;

/// The longest that a receiver is obeyed that asks for patience.
const LONGEST_ASKED: Duration = Duration::from_secs(6 * 3_600);

/// Pauses that double, drawn at random so that many senders don't come back at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// The pause after the first failure, at most.
    pub first: Duration,
    /// The longest pause that is chosen by us.
    pub longest: Duration,
    /// How long it is tried in all.
    pub total: Duration,
    /// How long one attempt may take.
    pub attempt: Duration,
}

/// At the end of a run, while somebody waits.
pub const FOREGROUND: Backoff = Backoff {
    first: Duration::from_millis(500),
    longest: Duration::from_secs(4),
    total: Duration::from_secs(10),
    attempt: Duration::from_secs(5),
};

/// Afterwards, by a service: a receiver that is down over night still gets it.
pub const BACKGROUND: Backoff = Backoff {
    first: Duration::from_secs(20),
    longest: Duration::from_secs(3_600),
    total: Duration::from_secs(24 * 3_600),
    attempt: Duration::from_secs(20),
};

impl Backoff {
    /// The pause after so many failures: between half of the doubled one and all of it, by `jitter` in [0, 1]; longer if the receiver
    /// asks for longer.
    pub fn pause(&self, failures: u32, jitter: f64, asked: Option<Duration>) -> Duration {
        let doubled = 2_u32.saturating_pow(failures.saturating_sub(1).min(31));
        let most = self.first.saturating_mul(doubled).min(self.longest);
        let own = most.mul_f64(0.5 + 0.5 * jitter.clamp(0.0, 1.0));
        asked.map_or(own, |asked| own.max(asked.min(LONGEST_ASKED)))
    }

    /// Whether it is given up that has been tried for so long.
    pub fn is_over(&self, since: Duration) -> bool {
        since >= self.total
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn pauses_double_up_to_the_longest() {
        let whole = |failures| BACKGROUND.pause(failures, 1.0, None).as_secs();
        assert_eq!([1, 2, 3, 4].map(whole), [20, 40, 80, 160]);
        assert_eq!(whole(9), 3_600);
        assert_eq!(whole(u32::MAX), 3_600);
        let hour = Some(Duration::from_secs(5_000));
        assert_eq!(BACKGROUND.pause(1, 0.0, hour).as_secs(), 5_000);
        assert_eq!(BACKGROUND.pause(1, 0.0, Some(Duration::MAX)), LONGEST_ASKED);
        // For hours: the tries of a day.
        let (mut spent, mut tries) = (Duration::ZERO, 1);
        while !BACKGROUND.is_over(spent) {
            spent += BACKGROUND.pause(tries, 0.5, None);
            tries += 1;
        }
        assert!((25..60).contains(&tries), "{tries}");
    }

    proptest! {
        #[test]
        fn a_pause_is_within_its_bounds(failures: u32, jitter in 0.0..=1.0_f64, asked in 0_u64..100_000) {
            let pause = BACKGROUND.pause(failures, jitter, None);
            prop_assert!(pause >= BACKGROUND.first / 2 && pause <= BACKGROUND.longest);
            let asked = Duration::from_secs(asked);
            prop_assert!(BACKGROUND.pause(failures, jitter, Some(asked)) >= asked.min(LONGEST_ASKED));
        }
    }
}
