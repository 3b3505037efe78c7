//! Writing shards so that nothing measured is lost: what cannot be written now is kept and tried again, and what can never
//! be written is left where somebody can find it.

use bytes::Bytes;
use floodgate_core::execution::manifest::ShardEntry;
use floodgate_core::keys::ExecutionKeys;
use floodgate_core::shard::{Row, ShardMeta, encode, sha256_hex};
use floodgate_store::{ObjectStore, StoreError};
use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long the end of a run waits for a store that refuses to write.
const LAST_PATIENCE: Duration = Duration::from_secs(10);
const RETRY_PAUSE: Duration = Duration::from_millis(250);

/// What was written and what was not.
#[derive(Debug, Default)]
pub struct Written {
    /// Shards in the store, in order.
    pub shards: Vec<ShardEntry>,
    /// Why the rest is not there, and where it is instead.
    pub lost: Option<String>,
    /// What went wrong on the way.
    pub warnings: Vec<String>,
}

pub(super) struct Output {
    store: Arc<dyn ObjectStore>,
    runtime: Option<tokio::runtime::Runtime>,
    keys: ExecutionKeys,
    task: u32,
    rows: Vec<Row>,
    seq: u32,
    waiting: VecDeque<(ShardEntry, Bytes)>,
    /// Whether the store refused the last write; one warning stands for a row of refusals.
    refusing: bool,
    written: Written,
}

impl Output {
    pub(super) fn new(store: Arc<dyn ObjectStore>, keys: ExecutionKeys, task: u32) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        let mut written = Written::default();
        let runtime = match runtime {
            Ok(runtime) => Some(runtime),
            Err(error) => {
                written
                    .warnings
                    .push(format!("no runtime for writing shards: {error}"));
                None
            }
        };
        Self {
            store,
            runtime,
            keys,
            task,
            rows: Vec::new(),
            seq: 0,
            waiting: VecDeque::new(),
            refusing: false,
            written,
        }
    }

    /// Rows of the shard to come.
    pub(super) fn rows(&mut self) -> &mut Vec<Row> {
        &mut self.rows
    }

    pub(super) const fn next_seq(&self) -> u32 {
        self.seq
    }

    pub(super) fn warn(&mut self, warning: String) {
        self.written.warnings.push(warning);
    }

    /// Encodes the rows as the next shard and writes it, now or later.
    pub(super) fn write_shard(&mut self, meta: &ShardMeta) {
        match encode(meta, &self.rows) {
            Ok(bytes) => {
                let entry = ShardEntry {
                    seq: self.seq,
                    rows: self.rows.len() as u64,
                    bytes: bytes.len() as u64,
                    sha256: sha256_hex(&bytes),
                };
                self.waiting.push_back((entry, Bytes::from(bytes)));
                self.seq += 1;
            }
            Err(error) => self.warn(format!(
                "shard {} of task {} could not be encoded: {error}",
                self.seq, self.task
            )),
        }
        self.rows.clear();
        self.retry();
    }

    /// Writes what waits, in order, until the store refuses.
    pub(super) fn retry(&mut self) {
        while let Some((entry, bytes)) = self.waiting.front() {
            match self.put(&self.keys.shard(self.task, entry.seq), bytes.clone()) {
                Ok(()) => {
                    self.refusing = false;
                    self.written
                        .shards
                        .extend(self.waiting.pop_front().map(|(entry, _)| entry));
                }
                Err(error) => {
                    if !self.refusing {
                        self.refusing = true;
                        self.written.warnings.push(format!(
                            "{error}; what was measured is kept and tried again"
                        ));
                    }
                    return;
                }
            }
        }
    }

    pub(super) fn write_live(&mut self, bytes: Vec<u8>) {
        // A live object is only ever a view: the next one makes up for it, and shards report a store that refuses.
        drop(self.put(&self.keys.live(self.task), Bytes::from(bytes)));
    }

    fn put(&self, key: &str, bytes: Bytes) -> Result<(), StoreError> {
        match &self.runtime {
            Some(runtime) => runtime.block_on(self.store.put(key, bytes)),
            None => Err(StoreError::Io {
                operation: "write",
                key: key.to_owned(),
                source: std::io::Error::other("no runtime"),
            }),
        }
    }

    pub(super) fn finish(mut self) -> Written {
        let patience = Instant::now() + LAST_PATIENCE;
        self.retry();
        while !self.waiting.is_empty() && Instant::now() < patience {
            std::thread::sleep(RETRY_PAUSE);
            self.retry();
        }
        if !self.waiting.is_empty() {
            let last = self.written.warnings.last().cloned().unwrap_or_default();
            let left: Vec<_> = self.waiting.drain(..).collect();
            let place = match leave(&self.keys, self.task, &left) {
                Ok(folder) => format!("they lie in {}", folder.display()),
                Err(error) => format!("nor elsewhere: {error}"),
            };
            self.written.lost = Some(format!(
                "{} shards could not be written ({last}); {place}",
                left.len()
            ));
        }
        self.written
    }
}

/// Leaves shards in the folder for temporary files.
fn leave(
    keys: &ExecutionKeys,
    task: u32,
    shards: &[(ShardEntry, Bytes)],
) -> std::io::Result<PathBuf> {
    let root = std::env::temp_dir().join("floodgate-unwritten");
    for (entry, bytes) in shards {
        let path = root.join(keys.shard(task, entry.seq));
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(path, bytes)?;
    }
    Ok(root.join(keys.root()))
}
