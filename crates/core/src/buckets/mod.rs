//! What a run measured over all of its time, as a table: the buckets of each trend, and one row for each other series.
//!
//! It lies beside the merged series, which have the same numbers by window, and is what questions over many runs need: a quantile
//! is the bucket at which the running total of `count` reaches its rank, in plain SQL as in [`decode`]. Every row adds up with every other:
//!
//! | kind | rows | `lower_us`, `upper_us` | `count` | `sum`, `min`, `max` |
//! |---|---|---|---|---|
//! | trend | one a bucket with samples | its bounds, inclusive | samples in it | of the series, exact, in µs, in its first row; else absent |
//! | counter, rate | one | absent | samples | as in a [shard](crate::shard) |
//! | gauge | one | absent | samples | the last value, and its bounds |
//!
//! So `sum(count)`, `sum(sum)`, `min(min)` and `max(max)` are right for whatever series are taken together.

mod read;
mod schema;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
mod write;

pub use read::decode;
pub use write::encode;

use chrono::DateTime;

/// Version of the columns and of the file metadata.
pub const SCHEMA: u32 = 1;
/// What the file's metadata call it.
const CONTENT: &str = "buckets";

/// The day (UTC) by which the tables of runs are filed, such as `2026-11-29`.
pub fn day(created_ms: i64) -> String {
    let time = DateTime::from_timestamp_millis(created_ms).unwrap_or_default();
    time.format("%Y-%m-%d").to_string()
}
