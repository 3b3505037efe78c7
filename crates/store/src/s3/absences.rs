//! Objects that were not there when a listing was asked.
//!
//! A task looks every few seconds whether it is to stop, and is denied what it looks for as long as it is not there. A listing, which
//! tells absent from denied, costs twelve times as much as a read
//! (<https://aws.amazon.com/s3/pricing/>), so it is asked for once a minute. Nothing is missed in between: an object that comes into
//! being is read at once by whoever may read it, and only that somebody may not is noticed up to a minute late.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// How long a listing is believed.
const BELIEVED: Duration = Duration::from_secs(60);
/// Keys that are remembered: those of one run are a handful.
const MOST: usize = 64;

/// What listings have shown to be absent, and when. Clones share it.
#[derive(Clone, Debug, Default)]
pub(super) struct Absences(Arc<Mutex<HashMap<String, Instant>>>);

impl Absences {
    /// Whether a listing has shown it a short time ago.
    pub(super) fn is_known(&self, key: &str) -> bool {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(key).is_some_and(|at| at.elapsed() < BELIEVED)
    }

    /// A listing has shown it now.
    pub(super) fn learn(&self, key: &str) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            known.retain(|_, at| at.elapsed() < BELIEVED);
        }
        if known.len() < MOST {
            known.insert(key.to_owned(), Instant::now());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_listing_is_believed_for_a_minute() {
        let known = Absences::default();
        assert!(!known.is_known("stop.json"));
        known.learn("stop.json");
        tokio::time::advance(Duration::from_secs(59)).await;
        assert!(known.clone().is_known("stop.json") && !known.is_known("start.json"));
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(!known.is_known("stop.json"));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_remembered_has_a_bound() {
        let known = Absences::default();
        for number in 0..=MOST {
            known.learn(&number.to_string());
        }
        assert!(known.is_known("0") && !known.is_known(&MOST.to_string()));
        tokio::time::advance(BELIEVED).await;
        known.learn("new");
        assert!(known.is_known("new") && !known.is_known("0"));
    }
}
