//! Rows become shards, numbered without a gap.

use super::outbox::Outbox;
use bytes::Bytes;
use floodgate_core::shard::{Row, ShardMeta, encode};
use floodgate_records::failure::FailureLog;

/// Shards and live objects on their way to the outbox.
pub(crate) struct Output {
    outbox: Outbox,
    task: u32,
    rows: Vec<Row>,
    seq: u32,
    warnings: Vec<String>,
}

impl Output {
    pub(crate) const fn new(outbox: Outbox, task: u32) -> Self {
        Self {
            outbox,
            task,
            rows: Vec::new(),
            seq: 0,
            warnings: Vec::new(),
        }
    }

    /// Rows of the shard to come.
    pub(crate) const fn rows(&mut self) -> &mut Vec<Row> {
        &mut self.rows
    }

    pub(crate) const fn next_seq(&self) -> u32 {
        self.seq
    }

    pub(crate) fn warn(&mut self, warning: String) {
        self.warnings.push(warning);
    }

    /// Encodes the rows as the next shard and hands it over.
    pub(crate) fn write_shard(&mut self, meta: &ShardMeta) {
        match encode(meta, &self.rows) {
            Ok(bytes) => {
                let entry = floodgate_core::shard::entry(self.seq, self.rows.len(), &bytes);
                self.outbox.shard(entry, Bytes::from(bytes));
                self.seq += 1;
            }
            Err(error) => self.warn(format!(
                "shard {} of task {} could not be encoded: {error}",
                self.seq, self.task
            )),
        }
        self.rows.clear();
    }

    /// Hands over the task's samples of failures, for those of before.
    pub(crate) fn write_failures(&mut self, log: &FailureLog) {
        match serde_json::to_vec(log) {
            Ok(bytes) => self.outbox.failures(Bytes::from(bytes)),
            Err(error) => self.warn(format!("samples of failures not written: {error}")),
        }
    }

    pub(crate) fn write_live(&self, bytes: Vec<u8>) {
        self.outbox.live(Bytes::from(bytes));
    }

    /// Closes the outbox; what is left are the warnings.
    pub(crate) fn finish(self) -> Vec<String> {
        self.warnings
    }
}
