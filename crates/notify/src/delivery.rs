//! One delivery of an entry: kept, tried, and forgotten, or kept with why it was not taken.

use crate::courier::Courier;
use crate::outbox::{Entry, Outbox, OutboxError};
use crate::refusal::Refusal;
use floodgate_records::notify::Channel;

/// How often an entry is tried at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tries {
    /// Once: it comes again.
    One,
    /// As long as the courier's patience lasts.
    Patient,
}

/// Tries to deliver an entry. It is kept before, so that a process that dies loses nothing. Gives the entry as it waits now if it was not
/// taken; `to` may say that it cannot be tried, and why.
///
/// # Errors
/// What the store refuses. Then it may have been taken, and comes again.
pub async fn deliver(
    outbox: &Outbox,
    courier: &Courier,
    entry: Entry,
    to: Result<&Channel, Refusal>,
    tries: Tries,
    now_ms: &(dyn Fn() -> i64 + Sync),
) -> Result<Option<Entry>, OutboxError> {
    outbox.take(&entry, now_ms()).await?;
    let (made, sent) = match (to, tries) {
        (Err(refusal), Tries::One) => (1, Err(refusal)),
        (Err(refusal), Tries::Patient) => (0, Err(refusal)),
        (Ok(channel), Tries::One) => (1, courier.once(channel, &entry.notice).await),
        (Ok(channel), Tries::Patient) => courier.patiently(channel, &entry.notice).await,
    };
    match sent {
        Ok(()) => {
            outbox.remove(&entry).await?;
            Ok(None)
        }
        Err(refusal) => {
            let entry = entry.refused(made, &refusal, fastrand::f64(), now_ms());
            outbox.put(&entry).await?;
            Ok(Some(entry))
        }
    }
}
