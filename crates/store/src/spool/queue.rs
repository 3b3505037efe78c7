//! What waits, in order, and the files in which it waits.

use super::{Delivery, Undelivered};
use crate::local::LocalStore;
use crate::{ObjectStore, Result, StoreError};
use bytes::Bytes;
use std::collections::VecDeque;

/// An object that waits. There is one of a key at most.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// Another one for each write.
    pub(super) id: u64,
    pub(super) key: String,
    pub(super) bytes: u64,
    /// Whether it may only be written where nothing is.
    pub(super) only_new: bool,
    /// Why it still waits.
    pub(super) reason: String,
}

pub(super) struct Queue {
    /// Objects at their keys.
    files: LocalStore,
    entries: VecDeque<Entry>,
    /// Entries that the store will never take.
    refused: Vec<Entry>,
    /// Bytes of all files.
    bytes: u64,
    last_id: u64,
    kept: u64,
    delivered: u64,
    /// Whether somebody delivers.
    delivering: bool,
}

impl Queue {
    pub(super) fn new(files: LocalStore) -> Self {
        Self {
            files,
            entries: VecDeque::new(),
            refused: Vec::new(),
            bytes: 0,
            last_id: 0,
            kept: 0,
            delivered: 0,
            delivering: false,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Adds an object at the end, in place of an older one of its key.
    pub(super) async fn keep(
        &mut self,
        key: String,
        data: Bytes,
        only_new: bool,
        cause: String,
        limit_bytes: u64,
    ) -> Result<()> {
        let older = self.position(&key);
        if only_new && older.is_some() {
            return Err(StoreError::Exists { key });
        }
        // An older one that the store refused still takes its place until this one replaces the file.
        let replaced = older
            .map(|at| &self.entries[at])
            .or_else(|| self.refused.iter().find(|entry| entry.key == key))
            .map_or(0, |entry| entry.bytes);
        let size = data.len() as u64;
        let total = self.bytes - replaced + size;
        if total > limit_bytes {
            return Err(StoreError::Unavailable {
                operation: "write",
                key,
                message: format!(
                    "{cause}; nor can it be kept: {total} bytes would wait in {}, of {limit_bytes} at most",
                    self.files.root().display()
                ),
            });
        }
        self.files.put(&key, data).await?;
        if let Some(at) = older {
            self.entries.remove(at);
            self.kept -= 1;
        } else if let Some(at) = self.refused.iter().position(|entry| entry.key == key) {
            self.refused.remove(at);
            self.kept -= 1;
        }
        self.bytes = total;
        self.last_id += 1;
        self.kept += 1;
        self.entries.push_back(Entry {
            id: self.last_id,
            key,
            bytes: size,
            only_new,
            reason: cause,
        });
        Ok(())
    }

    /// Whether somebody has to be told to deliver: from now on somebody does.
    pub(super) fn needs_delivery(&mut self) -> bool {
        !std::mem::replace(&mut self.delivering, true)
    }

    /// The next to be delivered. If there is none, nobody delivers any more.
    pub(super) fn next(&mut self) -> Option<Entry> {
        let next = self.entries.front().cloned();
        self.delivering = next.is_some();
        next
    }

    /// What is kept under a key.
    pub(super) async fn get(&self, key: &str) -> Result<Option<Bytes>> {
        match self.position(key) {
            Some(_) => self.files.get(key).await,
            None => Ok(None),
        }
    }

    /// An entry has been delivered; if there is a newer one of its key by now, that still waits.
    pub(super) async fn delivered(&mut self, entry: &Entry) -> Result<()> {
        let Some(at) = self.position(&entry.key) else {
            return Ok(());
        };
        if self.entries[at].id != entry.id {
            return Ok(());
        }
        self.entries.remove(at);
        self.bytes -= entry.bytes;
        self.delivered += 1;
        self.files.delete(&entry.key).await
    }

    /// An entry will never be delivered. Its file stays.
    pub(super) fn refused(&mut self, entry: &Entry, reason: String) {
        let at = self.entries.iter().position(|other| other.id == entry.id);
        if let Some(mut entry) = at.and_then(|at| self.entries.remove(at)) {
            entry.reason = reason;
            self.refused.push(entry);
        }
    }

    /// An entry waits on.
    pub(super) fn waits(&mut self, entry: &Entry, reason: String) {
        if let Some(entry) = self.entries.iter_mut().find(|other| other.id == entry.id) {
            entry.reason = reason;
        }
    }

    /// Drops what waits under a key.
    pub(super) async fn forget(&mut self, key: &str) -> Result<()> {
        let Some(entry) = self.position(key).and_then(|at| self.entries.remove(at)) else {
            return Ok(());
        };
        self.bytes -= entry.bytes;
        self.kept -= 1;
        self.files.delete(key).await
    }

    pub(super) fn report(&self) -> Delivery {
        let mut left: Vec<_> = self.refused.iter().chain(&self.entries).collect();
        left.sort_by_key(|entry| entry.id);
        let undelivered = |entry: &Entry| Undelivered {
            key: entry.key.clone(),
            bytes: entry.bytes,
            reason: entry.reason.clone(),
        };
        Delivery {
            kept: self.kept,
            delivered: self.delivered,
            undelivered: left.into_iter().map(undelivered).collect(),
        }
    }

    fn position(&self, key: &str) -> Option<usize> {
        self.entries.iter().position(|entry| entry.key == key)
    }
}
