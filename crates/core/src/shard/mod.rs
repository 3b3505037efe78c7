//! Shards: Parquet files with one row a window and series, which DuckDB, Athena and Arrow read as they are.
//!
//! Three kinds of file share the layout ([`Content`]): a task's immutable shards, its live object (cumulative since the
//! start) and the merged series of all tasks. What the columns mean, by kind of metric:
//!
//! | kind | `count` | `sum` | `min`, `max` | `histogram` |
//! |---|---|---|---|---|
//! | counter | samples | what was added | smallest and largest addition | – |
//! | rate | samples | non-zero ones | 0 or 1 | – |
//! | gauge | samples | the last value | over the window | – |
//! | trend | samples | µs | µs, exact | HDR V2 of µs |

mod decode;
mod encode;
mod groups;
mod meta;
mod schema;
mod seal;
#[cfg(test)]
mod tests;

pub(crate) use decode::{Extent, Keys, check_layout, limit, pair, read, read_optional};
pub use decode::{MAX_ROWS, MAX_SHARD_BYTES, decode, decode_groups};
pub use encode::{Effort, ShardWriter, encode};
pub use groups::RowGroups;
pub(crate) use meta::{CONTENT, EXECUTION, GEOMETRY_KEY, SCHEMA_KEY};
pub use meta::{Content, ShardMeta, Sources};
pub(crate) use schema::{
    KIND, Leaf, METRIC, Meaning, TAG_KEY, TAG_VALUE, TAGS, of_map, optional, required, schema_of,
};
pub(crate) use seal::{Group, SealedWriter, check_sum};

use bytes::Bytes;
use floodgate_records::manifest::ShardEntry;
use floodgate_records::metric::{Builtin, SeriesKey};
use floodgate_records::printable::hex;
use sha2::{Digest, Sha256};
use std::error::Error;
use std::sync::Arc;

/// Version of the columns and of the file metadata.
pub const SCHEMA: u32 = 1;
/// The window of a row in seconds, of the response time and of all metrics that are not trends.
pub const WINDOW_S: u32 = 1;
/// The window in seconds of all other trends ([`Builtin::in_phase_window`]). A histogram of 500 samples takes half as many bytes
/// a sample as ten of 50, and these trends explain a run rather than follow it.
pub const PHASE_WINDOW_S: u32 = 10;
/// Default time between two shards of a task in ms: what a killed task loses at most. It is a multiple of all windows, so that
/// no window is split between shards. What a file takes beside its rows is about 3 kB.
pub const FLUSH_INTERVAL_MS: u64 = 10_000;
/// Default time between two live objects of a task in ms: how old the figures are that `abortOnFail` looks at.
pub const LIVE_INTERVAL_MS: u64 = 2_000;

/// The window of a metric's rows in seconds.
pub fn window_s(metric: &str) -> u32 {
    if Builtin::parse(metric).is_some_and(Builtin::in_phase_window) {
        PHASE_WINDOW_S
    } else {
        WINDOW_S
    }
}

/// One window of one series.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The window's start, Unix ms.
    pub time_ms: i64,
    /// Its length in seconds; at least 1.
    pub window_s: u32,
    /// Metric, kind and tags; rows of one series share it.
    pub key: Arc<SeriesKey>,
    /// See the [module](self).
    pub count: u64,
    /// See the [module](self).
    pub sum: f64,
    /// See the [module](self).
    pub min: f64,
    /// See the [module](self).
    pub max: f64,
    /// Trends only: [`crate::histogram::Histogram::encode_v2`].
    pub histogram: Option<Bytes>,
}

/// A decoded file. Its rows are sound: kinds, numbers and histograms fit each other.
#[derive(Clone, Debug, PartialEq)]
pub struct Shard {
    /// What it covers.
    pub meta: ShardMeta,
    /// Its rows, by row group, series and time.
    pub rows: Vec<Row>,
}

/// What is wrong with a row: a sentence, or an error of a part of it.
pub type RowFault = Box<dyn Error + Send + Sync>;

/// Why a shard could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum ShardError {
    /// Larger than what is read into memory.
    #[error("shard of {found} {unit}: the limit is {limit}")]
    TooLarge {
        /// What it has.
        found: u64,
        /// Of what.
        unit: &'static str,
        /// The limit.
        limit: u64,
    },
    /// It does not end as a Parquet file does.
    #[error(
        "file of {bytes} bytes does not end as a Parquet file: it is cut off or something else"
    )]
    Truncated {
        /// Its length.
        bytes: usize,
    },
    /// The Parquet library could not make sense of it, or could not write.
    #[error("parquet: {0}")]
    Parquet(#[from] parquet::errors::ParquetError),
    /// The Parquet library met something that it takes for impossible.
    #[error("parquet: the file contradicts itself")]
    Contradiction,
    /// A piece of file metadata is missing or senseless.
    #[error("file metadata `{key}`: {problem}")]
    Meta {
        /// The key.
        key: &'static str,
        /// What is wrong.
        problem: String,
    },
    /// A column is missing or has another type.
    #[error("column `{column}`: {problem}")]
    Column {
        /// Its path.
        column: String,
        /// What is wrong.
        problem: String,
    },
    /// The data differ from their checksum in the file's metadata.
    #[error(
        "data have the checksum {found}, the file's metadata say {stated}: the file is damaged"
    )]
    Checksum {
        /// Of the data.
        found: String,
        /// In the metadata.
        stated: String,
    },
    /// A row that cannot be.
    #[error("row {row}: {source}")]
    Row {
        /// Its number in the file, from 0.
        row: usize,
        /// What is wrong: a sentence, or an error of a part of it.
        source: RowFault,
    },
}

/// What a manifest says of an encoded shard with so many rows.
pub fn entry(seq: u32, rows: usize, bytes: &[u8]) -> ShardEntry {
    ShardEntry {
        seq,
        rows: rows as u64,
        bytes: bytes.len() as u64,
        sha256: sha256_hex(bytes),
    }
}

/// SHA-256 in lower-case hex: how manifests name a shard's content.
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex(Sha256::digest(bytes))
}
