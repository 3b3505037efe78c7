//! Requests that are made again.

use super::context::Decoder;
use crate::definition::keys::grammar::outcome;
use crate::definition::keys::step;
use crate::definition::keys::times::think;
use crate::definition::model::{Retry, RetryOn};
use crate::definition::tree::Node;
use std::time::Duration;

impl Decoder<'_> {
    /// `retry` of a request.
    pub(super) fn retry(&mut self, node: &Node) -> Option<Retry> {
        let place = step::RETRY.place(node)?;
        let on = step::RETRY_WHEN.place(place);
        let on = match on {
            Some(list) => list
                .one_or_more()
                .iter()
                .filter_map(|item| outcome(&item.text()?).ok())
                .collect(),
            None => vec![RetryOn::Failed],
        };
        let backoff = step::BACKOFF.place(place);
        let backoff = backoff.and_then(|time| think(&time.text()?).ok());
        Some(Retry {
            attempts: step::ATTEMPTS.needed(place)?,
            on,
            backoff: backoff.unwrap_or((Duration::ZERO, Duration::ZERO)),
        })
    }
}
