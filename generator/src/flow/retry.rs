//! When a request is made again.

use crate::clock::{Nanos, nanos};
use crate::http::exchange::HttpExchange;
use floodgate_core::definition::{Retry, RetryOn};

/// When a request is made again.
#[derive(Debug)]
pub(crate) struct RetryPlan(pub(super) Retry);

impl RetryPlan {
    pub(crate) fn new(retry: &Retry) -> Self {
        Self(retry.clone())
    }

    /// Whether another attempt follows an outcome.
    pub(crate) fn wants(&self, exchange: &HttpExchange, expected: bool) -> bool {
        self.0.on.iter().any(|on| match on {
            RetryOn::Failed => !expected,
            RetryOn::Status(low, high) => {
                exchange.error.is_none() && (*low..=*high).contains(&exchange.status)
            }
            RetryOn::Error(code) => exchange.error.is_some_and(|error| error.as_str() == *code),
        })
    }

    /// The pause before attempt `number`, from 2.
    pub(super) fn pause(&self, number: u32) -> Nanos {
        nanos(self.0.pause(number))
    }
}
