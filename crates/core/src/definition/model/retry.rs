//! Requests that are made again.

use std::time::Duration;

/// What can go wrong with a request, by its tag `error_code`, that another attempt may mend.
pub const RETRIED_ERRORS: [&str; 17] = [
    "dns",
    "connection_refused",
    "connect_timeout",
    "unreachable",
    "generator_exhausted",
    "connection_reset",
    "connection_closed",
    "timeout",
    "tls",
    "tls_certificate",
    "proxy",
    "protocol",
    "headers_too_large",
    "body_too_large",
    "decompression",
    "too_many_redirects",
    "bad_url",
];

/// When a request is made again.
#[derive(Clone, Debug, PartialEq)]
pub struct Retry {
    /// How often it is made at most, the first time included; at least 2.
    pub attempts: u32,
    /// After which outcomes.
    pub on: Vec<RetryOn>,
    /// The pause before the second attempt, and the longest: each is twice the one before it.
    pub backoff: (Duration, Duration),
}

/// An outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RetryOn {
    /// No expected response.
    Failed,
    /// A status, both ends included.
    Status(u16, u16),
    /// An error, one of [`RETRIED_ERRORS`].
    Error(&'static str),
}

impl Retry {
    /// The pause before attempt `number`, from 2.
    pub fn pause(&self, number: u32) -> Duration {
        let (first, longest) = self.backoff;
        let doublings = number.saturating_sub(2).min(31);
        first.saturating_mul(1 << doublings).min(longest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest() {
        let ms = Duration::from_millis;
        let retry = |backoff| Retry {
            attempts: 9,
            on: vec![RetryOn::Failed],
            backoff,
        };
        let growing = retry((ms(100), ms(700)));
        let pauses: Vec<_> = (2..7).map(|n| growing.pause(n).as_millis()).collect();
        assert_eq!(pauses, [100, 200, 400, 700, 700]);
        assert_eq!(retry((ms(50), ms(50))).pause(9), ms(50));
        assert_eq!(retry((ms(0), ms(0))).pause(2), ms(0));
    }
}
