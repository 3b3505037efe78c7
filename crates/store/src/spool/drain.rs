//! Delivering what waits, in the background.

use super::Shared;
use super::queue::Entry;
use crate::{Result, StoreError};
use bytes::Bytes;
use std::sync::Arc;
use tokio::time::timeout;

/// Delivers until nothing waits.
pub(super) async fn drain(shared: Arc<Shared>) {
    let mut failures = 0;
    loop {
        let (entry, data) = {
            let mut queue = shared.queue.lock().await;
            let Some(entry) = queue.next() else {
                shared.emptied.notify_waiters();
                return;
            };
            match queue.get(&entry.key).await {
                Ok(Some(data)) => (entry, data),
                outcome => {
                    let reason = match outcome {
                        Err(error) => error.to_string(),
                        Ok(_) => "its file is gone from the spool".to_owned(),
                    };
                    queue.refused(&entry, reason);
                    continue;
                }
            }
        };
        let patience = shared.options.delivery_patience;
        let outcome = timeout(patience, deliver(&shared, &entry, data))
            .await
            .unwrap_or_else(|_| {
                Err(StoreError::Unavailable {
                    operation: "write",
                    key: entry.key.clone(),
                    message: format!("no answer within {} s", patience.as_secs_f64()),
                })
            });
        let mut queue = shared.queue.lock().await;
        match outcome {
            Ok(()) => {
                failures = 0;
                // A file that cannot be deleted takes room and nothing else.
                let _ = queue.delivered(&entry).await;
            }
            Err(error) if error.is_temporary() => {
                queue.waits(&entry, error.to_string());
                drop(queue);
                // Either way it is time for the next try.
                let _ = timeout(shared.options.pause(failures), shared.hurry.notified()).await;
                failures += 1;
            }
            Err(error) => queue.refused(&entry, error.to_string()),
        }
    }
}

async fn deliver(shared: &Shared, entry: &Entry, data: Bytes) -> Result<()> {
    if !entry.only_new {
        return shared.inner.put(&entry.key, data).await;
    }
    match shared.inner.put_new(&entry.key, data.clone()).await {
        // An earlier try may have arrived whose answer did not.
        Err(StoreError::Exists { key }) => match shared.inner.get(&key).await? {
            Some(found) if found == data => Ok(()),
            _ => Err(StoreError::Exists { key }),
        },
        outcome => outcome,
    }
}
