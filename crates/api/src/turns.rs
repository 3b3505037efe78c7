//! Requests that are to go one after the other.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::OwnedMutexGuard;

/// Who goes first among those who name the same thing.
#[derive(Debug, Default)]
pub(crate) struct Turns(Mutex<BTreeMap<String, Arc<tokio::sync::Mutex<()>>>>);

impl Turns {
    /// Waits until nobody else holds the turn of a name; it is held until what is returned is dropped.
    pub(crate) async fn of(&self, name: &str) -> OwnedMutexGuard<()> {
        let turn = {
            let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            // Those that nobody holds or waits for are of no use any more.
            all.retain(|_, turn| Arc::strong_count(turn) > 1);
            Arc::clone(all.entry(name.to_owned()).or_default())
        };
        turn.lock_owned().await
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn those_of_one_name_wait_for_one_another_and_leave_nothing() {
        let turns = Turns::default();
        let first = turns.of("a").await;
        let _other = turns.of("b").await;
        let mut second = Box::pin(turns.of("a"));
        tokio::select! {
            biased;
            _ = &mut second => panic!("the first holds it"),
            () = std::future::ready(()) => {}
        }
        drop(first);
        drop(second.await);
        let _third = turns.of("c").await;
        assert_eq!(turns.0.lock().unwrap().len(), 2);
    }
}
