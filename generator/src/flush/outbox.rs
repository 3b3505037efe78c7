//! Bringing shards into the store so that nothing measured is lost.
//!
//! The flusher's thread only hands objects over. They are written on the runtime of the control thread, one at a time and
//! in order: a store that is slow or away delays neither a window nor a request. What the store refuses waits, in memory
//! up to a bound and past it in files, and is tried again with growing pauses.

use crate::environment::{Level, TaskEnvironment};
use bytes::Bytes;
use floodgate_records::keys::ExecutionKeys;
use floodgate_records::manifest::ShardEntry;
use floodgate_records::unwritten::Unwritten;
use floodgate_store::{ObjectStore, StoreError};
use std::collections::VecDeque;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until, timeout};

/// One write; a connection that went silent must not hold back what another would carry.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);
/// After the first refusal; each further one doubles it.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// The longest pause: a store that is back is found within it.
const LAST_PAUSE: Duration = Duration::from_secs(5);

/// Something for the store.
#[derive(Debug)]
enum Parcel {
    Shard(ShardEntry, Bytes),
    Live(Bytes),
    Failures(Bytes),
}

/// The flusher's end: never waits.
#[derive(Debug)]
pub struct Outbox(mpsc::UnboundedSender<Parcel>);

impl Outbox {
    /// Hands a shard over; its number is the next one.
    pub(super) fn shard(&self, entry: ShardEntry, bytes: Bytes) {
        // The other end is gone only when the whole task is.
        let _ = self.0.send(Parcel::Shard(entry, bytes));
    }

    /// Hands over the task's samples of failures; those that have not been written yet are forgotten.
    pub(super) fn failures(&self, bytes: Bytes) {
        let _ = self.0.send(Parcel::Failures(bytes));
    }

    /// Hands over the latest live object; one that has not been written yet is forgotten.
    pub(super) fn live(&self, bytes: Bytes) {
        let _ = self.0.send(Parcel::Live(bytes));
    }
}

/// What is being written.
enum What {
    Shard,
    Live,
    Failures(Bytes),
}

/// What was written and what was not.
#[derive(Debug, Default)]
pub struct Delivered {
    /// Shards in the store, in order, and then those of [`Self::unwritten`].
    pub shards: Vec<ShardEntry>,
    /// Shards that were left where somebody will look for them.
    pub unwritten: Option<Unwritten>,
    /// Why the rest is neither here nor there.
    pub lost: Option<String>,
    /// What went wrong on the way.
    pub warnings: Vec<String>,
    /// When the patience with the store ends, for what is still to be written.
    pub patience_ends: Option<Instant>,
}

/// A shard that waits.
#[derive(Debug)]
enum Held {
    Memory(Bytes),
    File(PathBuf),
}

/// The store's end.
pub struct Delivery {
    store: Arc<dyn ObjectStore>,
    keys: ExecutionKeys,
    task: u32,
    environment: TaskEnvironment,
    parcels: mpsc::UnboundedReceiver<Parcel>,
    open: bool,
    waiting: VecDeque<(ShardEntry, Held)>,
    in_memory: u64,
    live: Option<Bytes>,
    /// Kept until they are written: no later ones may come to make up for them.
    failures: Option<Bytes>,
    live_next: bool,
    /// Since when the store refuses; one warning stands for a row of refusals.
    refusing: Option<Instant>,
    done: Delivered,
}

/// Both ends.
pub fn outbox(
    store: Arc<dyn ObjectStore>,
    keys: ExecutionKeys,
    task: u32,
    environment: TaskEnvironment,
) -> (Outbox, Delivery) {
    let (sender, parcels) = mpsc::unbounded_channel();
    let delivery = Delivery {
        store,
        keys,
        task,
        environment,
        parcels,
        open: true,
        waiting: VecDeque::new(),
        in_memory: 0,
        live: None,
        failures: None,
        live_next: false,
        refusing: None,
        done: Delivered::default(),
    };
    (Outbox(sender), delivery)
}

impl Delivery {
    /// Delivers until the outbox is dropped and all is written, or [`TaskEnvironment::patience`] has passed since it was dropped.
    pub async fn run(mut self) -> Delivered {
        let mut pause = FIRST_PAUSE;
        while !self.is_over() {
            let Some((key, bytes, what)) = self.next() else {
                match self.parcels.recv().await {
                    Some(parcel) => self.take(parcel),
                    None => self.close(),
                }
                continue;
            };
            let store = Arc::clone(&self.store);
            let write = async move {
                let put = timeout(WRITE_TIMEOUT, store.put(&key, bytes)).await;
                put.unwrap_or_else(|_| Err(silent(key)))
            };
            match self.meanwhile(write).await {
                None => break,
                Some(Ok(())) => {
                    pause = FIRST_PAUSE;
                    match what {
                        What::Shard => self.delivered(),
                        // Newer ones may have come meanwhile.
                        What::Failures(written) => {
                            self.failures.take_if(|bytes| *bytes == written);
                        }
                        What::Live => {}
                    }
                }
                // A live object is only ever a view: the next one makes up for it.
                Some(Err(_)) if matches!(what, What::Live) && self.waiting.is_empty() => {}
                Some(Err(error)) => {
                    self.refused(&error);
                    // Spread over the tasks, which a store that is back would else meet all at once.
                    let wait = pause.mul_f64(0.5 + fastrand::f64() / 2.0);
                    pause = (pause * 2).min(LAST_PAUSE);
                    if self.meanwhile(sleep(wait)).await.is_none() {
                        break;
                    }
                }
            }
        }
        self.finish()
    }

    fn is_over(&self) -> bool {
        !self.open && self.waiting.is_empty() && self.live.is_none() && self.failures.is_none()
    }

    /// Takes what comes while something else goes on; `None` when patience ends first.
    async fn meanwhile<F: Future>(&mut self, work: F) -> Option<F::Output> {
        let mut work = pin!(work);
        loop {
            let ends = self.done.patience_ends;
            tokio::select! {
                biased;
                output = &mut work => return Some(output),
                parcel = self.parcels.recv(), if self.open => match parcel {
                    Some(parcel) => self.take(parcel),
                    None => self.close(),
                },
                () = sleep_until(ends.unwrap_or_else(Instant::now)), if ends.is_some() => return None,
            }
        }
    }

    fn close(&mut self) {
        self.open = false;
        self.done.patience_ends = Some(Instant::now() + self.environment.patience);
    }

    fn take(&mut self, parcel: Parcel) {
        match parcel {
            Parcel::Live(bytes) => self.live = Some(bytes),
            Parcel::Failures(bytes) => self.failures = Some(bytes),
            Parcel::Shard(entry, bytes) => {
                let held = self.hold(&entry, bytes);
                self.waiting.push_back((entry, held));
            }
        }
    }

    /// Keeps a shard in memory while there is room, else in a file.
    fn hold(&mut self, entry: &ShardEntry, bytes: Bytes) -> Held {
        let full = self.in_memory + entry.bytes > self.environment.spool_bytes;
        // The one that is about to be written needs no file.
        if full && !self.waiting.is_empty() {
            match spool(
                &self.environment,
                &self.keys.shard(self.task, entry.seq),
                &bytes,
            ) {
                Ok(path) => return Held::File(path),
                Err(error) => self.warn(format!(
                    "shard {} is kept in memory past its bound: {error}",
                    entry.seq
                )),
            }
        }
        self.in_memory += entry.bytes;
        Held::Memory(bytes)
    }

    /// What is to be written next; shards and live objects take turns.
    fn next(&mut self) -> Option<(String, Bytes, What)> {
        if (self.live_next || self.waiting.is_empty())
            && let Some(bytes) = self.live.take()
        {
            self.live_next = false;
            return Some((self.keys.live(self.task), bytes, What::Live));
        }
        while let Some((entry, held)) = self.waiting.front() {
            self.live_next = true;
            let bytes = match held {
                Held::Memory(bytes) => bytes.clone(),
                Held::File(path) => match std::fs::read(path) {
                    Ok(bytes) => Bytes::from(bytes),
                    Err(error) => {
                        let problem =
                            format!("shard {} is lost: {}: {error}", entry.seq, path.display());
                        self.warn(problem.clone());
                        self.done.lost.get_or_insert(problem);
                        self.waiting.pop_front();
                        continue;
                    }
                },
            };
            return Some((self.keys.shard(self.task, entry.seq), bytes, What::Shard));
        }
        let bytes = self.failures.clone()?;
        let key = self.keys.task_failures(self.task);
        Some((key, bytes.clone(), What::Failures(bytes)))
    }

    fn delivered(&mut self) {
        if let Some((entry, held)) = self.waiting.pop_front() {
            match held {
                Held::Memory(_) => self.in_memory -= entry.bytes,
                // What cannot be removed goes with the folder for temporary files.
                Held::File(path) => drop(std::fs::remove_file(path)),
            }
            self.done.shards.push(entry);
        }
        if let Some(since) = self.refusing.take() {
            let away = since.elapsed().as_secs_f64();
            (self.environment.log)(
                Level::Info,
                &format!("the store takes shards again after {away:.1} s"),
            );
        }
    }

    fn refused(&mut self, error: &StoreError) {
        if self.refusing.is_none() {
            self.refusing = Some(Instant::now());
            self.warn(format!(
                "{error}; what was measured is kept and tried again"
            ));
        }
    }

    fn warn(&mut self, warning: String) {
        (self.environment.log)(Level::Warn, &warning);
        self.done.warnings.push(warning);
    }

    /// Gives the store up: what it has not taken goes where somebody will look for it.
    fn finish(mut self) -> Delivered {
        if let Some(bytes) = self.failures.take() {
            // They explain a verdict, and decide nothing.
            let _ = spool(
                &self.environment,
                &self.keys.task_failures(self.task),
                &bytes,
            );
        }
        let (Some((first, _)), Some((last, _))) = (self.waiting.front(), self.waiting.back())
        else {
            return self.done;
        };
        let [from, to] = [first.seq, last.seq].map(|seq| self.keys.shard(self.task, seq));
        let bytes: u64 = self.waiting.iter().map(|(entry, _)| entry.bytes).sum();
        let shards = self.waiting.len();
        let why = self.done.warnings.last().cloned().unwrap_or_default();
        let what = format!(
            "{shards} shards of {bytes} bytes in all could not be written, {from} to {to} ({why})"
        );
        let folder = self.environment.spool.join(self.keys.shards_of(self.task));
        let folder = folder.display().to_string();
        match self.leave() {
            Ok(()) if self.environment.spool_stays => {
                self.warn(format!("{what}; they were left in {folder}"));
                let left = self.waiting.drain(..).map(|(entry, _)| entry);
                self.done.shards.extend(left);
                self.done.unwritten = Some(Unwritten {
                    task: self.task,
                    shards: shards as u64,
                    bytes,
                    folder,
                });
            }
            Ok(()) => self.done.lost = Some(format!("{what}; they lie in {folder}")),
            Err(error) => self.done.lost = Some(format!("{what}; nor elsewhere: {error}")),
        }
        self.done
    }

    /// Leaves what is in memory beside the files.
    fn leave(&self) -> std::io::Result<()> {
        for (entry, held) in &self.waiting {
            if let Held::Memory(bytes) = held {
                spool(
                    &self.environment,
                    &self.keys.shard(self.task, entry.seq),
                    bytes,
                )?;
            }
        }
        Ok(())
    }
}

fn silent(key: String) -> StoreError {
    let problem = format!("no answer within {} s", WRITE_TIMEOUT.as_secs());
    StoreError::Io {
        operation: "write",
        key,
        source: std::io::Error::new(std::io::ErrorKind::TimedOut, problem),
    }
}

/// Writes something beside the store, at its key; returns where.
///
/// # Errors
/// What the system refuses.
pub(crate) fn spool(
    environment: &TaskEnvironment,
    key: &str,
    bytes: &[u8],
) -> std::io::Result<PathBuf> {
    let path = environment.spool.join(key);
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    // Whoever brings it home finds all of it or nothing.
    let unfinished = path.with_extension("writing");
    let written = std::fs::write(&unfinished, bytes)
        .and_then(|()| std::fs::rename(&unfinished, &path))
        .map_err(|error| std::io::Error::new(error.kind(), format!("{}: {error}", path.display())));
    if written.is_err() {
        let _ = std::fs::remove_file(&unfinished);
    }
    written.map(|()| path)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
