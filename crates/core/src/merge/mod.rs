//! Adding shards up: bucket by bucket, in memory that does not grow with the length of the run.
//!
//! Shards come in the order of their windows. Rows of one series and window are added up over the tasks; once no more can come for
//! a window ([`Merger::advance`]), its rows go into the merged file and into the [`Totals`]. A merged file is an input like any
//! other, so that many shards are merged as a tree.

mod aggregate;
mod collect;
mod source;
#[cfg(test)]
mod tests;

pub use aggregate::{Aggregate, Along, GaugeRule, Totals};
pub use collect::{Collected, Collector, Inventory, Stated, Wanted};

use crate::histogram::HistogramError;
use crate::shard::{Content, Effort, Row, Shard, ShardError, ShardMeta, ShardWriter, Sources};
use floodgate_records::metric::SeriesKey;
use std::collections::{BTreeMap, HashMap};
use std::io::Write;
use std::sync::Arc;

/// Rows of a row group of the merged file at most.
const GROUP_ROWS: usize = 65_536;
/// Bytes of the histograms of a row group at most; with them the memory of a merge is bounded.
const GROUP_BYTES: usize = 32 << 20;

/// Why shards could not be added up.
#[derive(Debug, thiserror::Error)]
pub enum MergeError {
    /// The merged file could not be written.
    #[error("merged series: {0}")]
    Write(#[from] ShardError),
    /// A row's histogram cannot be added.
    #[error("{series} at {time_ms} ms: {source}")]
    Histogram {
        /// The series.
        series: String,
        /// The row's window.
        time_ms: i64,
        /// Why.
        source: HistogramError,
    },
    /// A file of another run.
    #[error("file of execution {found:?} in the merge of {expected:?}")]
    Foreign {
        /// What the file says.
        found: String,
        /// What is merged.
        expected: String,
    },
    /// A live object is a view of shards, adding it would count samples twice.
    #[error("a live object cannot be merged: its samples stand in shards")]
    Live,
    /// Some shards of the file have been merged, others have not.
    #[error("file with the shards {found} overlaps with those merged already ({merged})")]
    Overlap {
        /// The file's.
        found: String,
        /// Those merged.
        merged: String,
    },
}

/// Adds shards up; see the [module](self).
#[derive(Debug)]
pub struct Merger<W: Write + Send> {
    writer: ShardWriter<W>,
    execution: String,
    sources: Sources,
    span: Option<(i64, i64)>,
    /// Open windows by start.
    open: BTreeMap<i64, HashMap<(Arc<SeriesKey>, u32), Aggregate>>,
    totals: Totals,
    /// Rows of closed windows that are not written yet, and the bytes of their histograms.
    closed: Vec<Row>,
    closed_bytes: usize,
    /// Aggregates of trends to be used again.
    spare: Vec<Aggregate>,
}

/// What a merge makes.
#[derive(Debug)]
pub struct Merged<W> {
    /// Everything, by series.
    pub totals: Totals,
    /// What the merged file says of itself.
    pub meta: ShardMeta,
    /// Rows of the merged file.
    pub rows: u64,
    /// What the merged file was written to.
    pub out: W,
}

impl<W: Write + Send> Merger<W> {
    /// Starts the merged file of an execution.
    ///
    /// # Errors
    /// [`MergeError::Write`] if `out` cannot be written.
    pub fn new(execution: &str, out: W) -> Result<Self, MergeError> {
        Ok(Self {
            writer: ShardWriter::new(out, Effort::Small)?,
            execution: execution.to_owned(),
            sources: Sources::default(),
            span: None,
            open: BTreeMap::new(),
            totals: Totals::new(),
            closed: Vec::new(),
            closed_bytes: 0,
            spare: Vec::new(),
        })
    }

    /// Adds a shard or a merged file. `false` if all of it has been added before: then nothing changes. A row of a window that
    /// was closed already still counts: it makes a second row of the same series and window in the merged file.
    ///
    /// # Errors
    /// [`MergeError::Foreign`], [`MergeError::Live`] and [`MergeError::Overlap`], which leave the merge as it was;
    /// [`MergeError::Histogram`] for rows that did not come from [`crate::shard::decode`].
    pub fn push(&mut self, shard: &Shard) -> Result<bool, MergeError> {
        let meta = &shard.meta;
        if meta.execution != self.execution {
            return Err(MergeError::Foreign {
                found: meta.execution.clone(),
                expected: self.execution.clone(),
            });
        }
        if meta.content == Content::Live {
            return Err(MergeError::Live);
        }
        if self.sources.overlaps(&meta.sources) {
            if self.sources.covers(&meta.sources) {
                return Ok(false);
            }
            return Err(MergeError::Overlap {
                found: meta.sources.to_string(),
                merged: self.sources.to_string(),
            });
        }
        for row in &shard.rows {
            self.add(row)?;
        }
        self.sources.add(&meta.sources);
        let (start, end) = self.span.unwrap_or((meta.start_ms, meta.end_ms));
        self.span = Some((start.min(meta.start_ms), end.max(meta.end_ms)));
        Ok(true)
    }

    fn add(&mut self, row: &Row) -> Result<(), MergeError> {
        let window = self.open.entry(row.time_ms).or_default();
        let aggregate = window
            .entry((row.key.clone(), row.window_s))
            .or_insert_with(|| match row.histogram {
                Some(_) => self
                    .spare
                    .pop()
                    .unwrap_or_else(|| Aggregate::new(row.key.kind)),
                None => Aggregate::new(row.key.kind),
            });
        aggregate
            .add_row(row, Along::Side(GaugeRule::of(&row.key.metric)))
            .map_err(|source| MergeError::Histogram {
                series: row.key.to_string(),
                time_ms: row.time_ms,
                source,
            })
    }

    /// Closes all windows that end at or before a time: no more rows of them are expected.
    ///
    /// # Errors
    /// [`MergeError::Write`] if the merged file cannot be written.
    pub fn advance(&mut self, until_ms: i64) -> Result<(), MergeError> {
        let starts: Vec<i64> = self
            .open
            .range(..until_ms)
            .map(|(&start, _)| start)
            .collect();
        for start in starts {
            let Some(mut window) = self.open.remove(&start) else {
                continue;
            };
            let ends_later =
                |length: u32| start.saturating_add(i64::from(length) * 1_000) > until_ms;
            let later: HashMap<_, _> = window
                .extract_if(|(_, length), _| ends_later(*length))
                .collect();
            if !later.is_empty() {
                self.open.insert(start, later);
            }
            for ((key, length), aggregate) in window {
                self.close(&key, start, length, aggregate)?;
            }
        }
        Ok(())
    }

    fn close(
        &mut self,
        key: &Arc<SeriesKey>,
        start: i64,
        length: u32,
        mut window: Aggregate,
    ) -> Result<(), MergeError> {
        let row = window.to_row(key, start, length);
        self.totals.entry(key).merge(&window, Along::Time);
        self.closed_bytes += row.histogram.as_ref().map_or(0, |bytes| bytes.len());
        self.closed.push(row);
        if window.histogram.is_some() {
            window.clear();
            self.spare.push(window);
        }
        if self.closed.len() >= GROUP_ROWS || self.closed_bytes >= GROUP_BYTES {
            self.write_closed()?;
        }
        Ok(())
    }

    fn write_closed(&mut self) -> Result<(), MergeError> {
        self.writer.write(&self.closed)?;
        self.closed.clear();
        self.closed_bytes = 0;
        Ok(())
    }

    /// Everything of the windows that are closed.
    pub fn totals(&self) -> &Totals {
        &self.totals
    }

    /// Closes all windows and the merged file.
    ///
    /// # Errors
    /// [`MergeError::Write`] if the merged file cannot be written.
    pub fn finish(mut self) -> Result<Merged<W>, MergeError> {
        self.advance(i64::MAX)?;
        self.write_closed()?;
        let (start_ms, end_ms) = self.span.unwrap_or((0, 0));
        let meta = ShardMeta {
            content: Content::Merged,
            execution: self.execution,
            segment: String::new(),
            sources: self.sources,
            start_ms,
            end_ms,
        };
        let rows = self.writer.rows();
        let out = self.writer.finish(&meta)?;
        Ok(Merged {
            totals: self.totals,
            meta,
            rows,
            out,
        })
    }
}
