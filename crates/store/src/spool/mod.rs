//! A store that keeps for a while what the store behind it cannot take: a task goes on measuring when S3 is away for minutes, and
//! what was measured arrives when S3 is back.
//!
//! A write goes straight to the store behind while nothing waits. If that fails for a [temporary](StoreError::is_temporary) reason
//! or takes too long, the object is written to a folder and the write succeeds; from then on all writes join the queue, so that
//! they arrive in order, until a task in the background has emptied it. Of several writes to one key only the newest is kept:
//! live objects do not pile up. At the end [`SpoolStore::flush`] waits for the rest and says what could not be delivered; those
//! objects stay in the folder, at their keys.

mod drain;
mod queue;
#[cfg(test)]
mod tests;

use crate::keys::check_key;
use crate::local::LocalStore;
use crate::{ObjectInfo, ObjectStore, Result, StoreError};
use async_trait::async_trait;
use bytes::Bytes;
use queue::Queue;
use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::{Mutex, Notify};
use tokio::time::{Instant, timeout};

/// The most that is kept without being told to, in bytes: at 1 MB a shard and ten seconds between two, more than an hour.
const MAX_SPOOL: u64 = 512 << 20;

/// How a spool behaves.
#[derive(Clone, Debug)]
pub struct SpoolOptions {
    /// Where objects are kept. It is created if need be, and belongs to this spool alone.
    pub folder: PathBuf,
    /// Bytes that are kept at most; a write that goes beyond it fails. `None`: 512 MiB, or half of what is free there when the
    /// spool is opened if that is less.
    pub limit_bytes: Option<u64>,
    /// How long a write waits for the store before it is kept.
    pub write_patience: Duration,
    /// How long one try to deliver what was kept may take.
    pub delivery_patience: Duration,
    /// How long reading, listing and deleting are tried again for. A try that is under way is not cut off.
    pub read_patience: Duration,
    /// The pause after the first failure; it doubles with each further one, and the actual pause is drawn at random between half
    /// of it and all of it, so that the tasks of a run do not come back all at once.
    pub first_pause: Duration,
    /// The longest pause.
    pub longest_pause: Duration,
}

impl SpoolOptions {
    /// A spool in a folder: 5 s for a write, 60 s for a delivery, 10 s for the rest, pauses from 0.25 to 10 s.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            limit_bytes: None,
            write_patience: Duration::from_secs(5),
            delivery_patience: Duration::from_secs(60),
            read_patience: Duration::from_secs(10),
            first_pause: Duration::from_millis(250),
            longest_pause: Duration::from_secs(10),
        }
    }

    fn pause(&self, failures: u32) -> Duration {
        let doubled = self.first_pause.saturating_mul(1 << failures.min(16));
        doubled
            .min(self.longest_pause)
            .mul_f64(0.5 + fastrand::f64() / 2.0)
    }
}

/// What came of the writes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delivery {
    /// Objects that had to be kept since the spool was opened, without those that a newer one of the same key replaced.
    pub kept: u64,
    /// Those of them that the store has taken since.
    pub delivered: u64,
    /// The others, in order.
    pub undelivered: Vec<Undelivered>,
}

/// An object that the store has not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undelivered {
    /// Its key: also where it lies in the spool's folder.
    pub key: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// Why, as last seen.
    pub reason: String,
}

/// A store with a spool. Clones are the same spool.
#[derive(Clone)]
pub struct SpoolStore {
    shared: Arc<Shared>,
}

struct Shared {
    inner: Arc<dyn ObjectStore>,
    options: SpoolOptions,
    limit_bytes: u64,
    /// Where all requests to the store behind are made: a client's connections live on the runtime that opened them.
    handle: Handle,
    queue: Mutex<Queue>,
    /// Cuts the pause before the next try short.
    hurry: Notify,
    /// The queue has become empty.
    emptied: Notify,
}

impl SpoolStore {
    /// Opens the spool. Requests to `inner` are made on the runtime of `handle`, which has to be one that is driven all the time,
    /// with time enabled; the spool itself may be used from any other.
    ///
    /// # Errors
    /// [`StoreError::Io`] if there can be no such folder.
    pub fn open(
        inner: Arc<dyn ObjectStore>,
        options: SpoolOptions,
        handle: Handle,
    ) -> Result<Self> {
        let files = LocalStore::open(&options.folder)?;
        let limit_bytes = match options.limit_bytes {
            Some(limit) => limit,
            None => {
                let space =
                    rustix::fs::statvfs(&options.folder).map_err(|error| StoreError::Io {
                        operation: "measure",
                        key: options.folder.display().to_string(),
                        source: error.into(),
                    })?;
                (space.f_bavail.saturating_mul(space.f_frsize) / 2).min(MAX_SPOOL)
            }
        };
        Ok(Self {
            shared: Arc::new(Shared {
                inner,
                options,
                limit_bytes,
                handle,
                queue: Mutex::new(Queue::new(files)),
                hurry: Notify::new(),
                emptied: Notify::new(),
            }),
        })
    }

    /// Waits until the store has taken everything that waits, or until the time is up, and says what came of it. The spool goes
    /// on trying afterwards.
    pub async fn flush(&self, time: Duration) -> Delivery {
        let emptied = async {
            loop {
                let emptied = self.shared.emptied.notified();
                if self.shared.queue.lock().await.is_empty() {
                    return;
                }
                self.shared.hurry.notify_one();
                emptied.await;
            }
        };
        // What is left when the time is up is in the report.
        let _ = timeout(time, emptied).await;
        self.report().await
    }

    /// What came of the writes so far, without waiting.
    pub async fn report(&self) -> Delivery {
        self.shared.queue.lock().await.report()
    }

    async fn write(&self, key: &str, data: Bytes, only_new: bool) -> Result<()> {
        check_key(key)?;
        let (shared, key) = (self.shared.clone(), key.to_owned());
        if !shared.queue.lock().await.is_empty() {
            let cause = "others wait before it".to_owned();
            return keep(shared, key, data, only_new, cause).await;
        }
        let request = {
            let (inner, key, data) = (shared.inner.clone(), key.clone(), data.clone());
            shared.on_handle("write", key.clone(), async move {
                if only_new {
                    inner.put_new(&key, data).await
                } else {
                    inner.put(&key, data).await
                }
            })
        };
        let patience = shared.options.write_patience;
        match timeout(patience, request).await {
            Ok(Err(error)) if error.is_temporary() => {
                keep(shared, key, data, only_new, error.to_string()).await
            }
            Ok(outcome) => outcome,
            Err(_) => {
                let cause = format!("no answer within {} s", patience.as_secs_f64());
                keep(shared, key, data, only_new, cause).await
            }
        }
    }

    /// Makes a request again while it fails for temporary reasons.
    async fn patiently<T, F>(
        &self,
        operation: &'static str,
        key: &str,
        request: impl Fn(Arc<dyn ObjectStore>, String) -> F,
    ) -> Result<T>
    where
        T: Send + 'static,
        F: Future<Output = Result<T>> + Send + 'static,
    {
        let shared = &self.shared;
        let until = Instant::now() + shared.options.read_patience;
        let mut failures = 0;
        loop {
            let request = request(shared.inner.clone(), key.to_owned());
            let outcome = shared.on_handle(operation, key.to_owned(), request).await;
            let pause = shared.options.pause(failures);
            match outcome {
                Err(error) if error.is_temporary() && Instant::now() + pause < until => {
                    tokio::time::sleep(pause).await;
                    failures += 1;
                }
                outcome => return outcome,
            }
        }
    }
}

impl Shared {
    /// Makes a request on the runtime that the connections live on. It is given up when nobody waits for it any more, so that
    /// it cannot overtake what is written later.
    async fn on_handle<T: Send + 'static>(
        &self,
        operation: &'static str,
        key: String,
        request: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<T> {
        let mut task = Abandoned(self.handle.spawn(request));
        (&mut task.0).await.unwrap_or_else(|error| {
            Err(StoreError::Unavailable {
                operation,
                key,
                message: format!("the request ended early: {error}"),
            })
        })
    }
}

/// Ends a task when it is dropped.
struct Abandoned<T>(tokio::task::JoinHandle<T>);

impl<T> Drop for Abandoned<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Keeps an object, and sees to it that somebody delivers it. It goes on to its end even if the caller does not wait for it: half
/// of it would be a file that nobody knows of.
async fn keep(
    shared: Arc<Shared>,
    key: String,
    data: Bytes,
    only_new: bool,
    cause: String,
) -> Result<()> {
    let (handle, name) = (shared.handle.clone(), key.clone());
    let keeping = handle.spawn(async move {
        let mut queue = shared.queue.lock().await;
        queue
            .keep(key, data, only_new, cause, shared.limit_bytes)
            .await?;
        if queue.needs_delivery() {
            shared.handle.spawn(drain::drain(shared.clone()));
        }
        Ok(())
    });
    keeping.await.unwrap_or_else(|error| {
        Err(StoreError::Unavailable {
            operation: "keep",
            key: name,
            message: error.to_string(),
        })
    })
}

#[async_trait]
impl ObjectStore for SpoolStore {
    /// Succeeds also when the object is only kept.
    async fn put(&self, key: &str, data: Bytes) -> Result<()> {
        self.write(key, data, false).await
    }

    /// Succeeds also when the object is only kept; whether there is one already then shows at the end, in [`SpoolStore::flush`].
    async fn put_new(&self, key: &str, data: Bytes) -> Result<()> {
        self.write(key, data, true).await
    }

    /// What waits for delivery is read from the spool.
    async fn get(&self, key: &str) -> Result<Option<Bytes>> {
        check_key(key)?;
        if let Some(kept) = self.shared.queue.lock().await.get(key).await? {
            return Ok(Some(kept));
        }
        let request =
            |inner: Arc<dyn ObjectStore>, key: String| async move { inner.get(&key).await };
        self.patiently("read", key, request).await
    }

    /// What the store behind has; what waits for delivery is not in it.
    async fn list(&self, prefix: &str) -> Result<Vec<ObjectInfo>> {
        let request =
            |inner: Arc<dyn ObjectStore>, prefix: String| async move { inner.list(&prefix).await };
        self.patiently("list", prefix, request).await
    }

    /// What waits for delivery under the key is forgotten.
    async fn delete(&self, key: &str) -> Result<()> {
        check_key(key)?;
        self.shared.queue.lock().await.forget(key).await?;
        let request =
            |inner: Arc<dyn ObjectStore>, key: String| async move { inner.delete(&key).await };
        self.patiently("delete", key, request).await
    }
}
