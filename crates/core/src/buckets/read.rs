//! A file to series. Nothing in it is believed before it has been checked, as with shards.

use super::schema::{COUNT, LAST, LEAVES, LOWER, MAX, MIN, SUM, UPPER};
use super::{CONTENT, SCHEMA};
use crate::histogram::{Bucket, Exact, GEOMETRY, Histogram};
use crate::merge::{Aggregate, Totals};
use crate::shard::{
    CONTENT as CONTENT_KEY, EXECUTION as EXECUTION_KEY, Extent, GEOMETRY_KEY, Keys,
    MAX_SHARD_BYTES, METRIC, RowFault, SCHEMA_KEY, ShardError, check_layout, check_sum, limit,
    pair, read, read_optional,
};
use bytes::Bytes;
use floodgate_records::metric::{MetricKind, SeriesKey};
use parquet::data_type::{DoubleType, Int64Type};
use parquet::file::metadata::{ParquetMetaData, RowGroupMetaData};
use parquet::file::reader::{FileReader, RowGroupReader, SerializedFileReader};
use parquet::file::statistics::Statistics;
use std::ops::Range;
use std::sync::Arc;

/// Decodes the series of some metrics, of all if none is named; `execution` is the run that the file must be of. Row groups of other
/// metrics are not read.
///
/// # Errors
/// [`ShardError`] for anything that [`super::encode`] has not written as it is.
pub fn decode(bytes: &[u8], execution: &str, metrics: &[&str]) -> Result<Totals, ShardError> {
    limit(bytes.len() as u64, "bytes", MAX_SHARD_BYTES)?;
    check_sum(bytes)?;
    // As for shards: the library takes lengths in pages for granted.
    std::panic::catch_unwind(|| decode_checked(bytes, execution, metrics))
        .unwrap_or(Err(ShardError::Contradiction))
}

fn decode_checked(bytes: &[u8], execution: &str, metrics: &[&str]) -> Result<Totals, ShardError> {
    let length = bytes.len() as u64;
    let file = SerializedFileReader::new(Bytes::copy_from_slice(bytes))?;
    check_meta(file.metadata(), execution)?;
    Extent::of_all(check_layout(&LEAVES, file.metadata(), length)?).check()?;
    let mut totals = Totals::new();
    for group in 0..file.num_row_groups() {
        if may_have(file.metadata().row_group(group), metrics) {
            read_group(file.get_row_group(group)?.as_ref(), metrics, &mut totals)?;
        }
    }
    Ok(totals)
}

fn check_meta(meta: &ParquetMetaData, execution: &str) -> Result<(), ShardError> {
    let schema = SCHEMA.to_string();
    let expected = [
        (CONTENT_KEY, CONTENT),
        (SCHEMA_KEY, schema.as_str()),
        (GEOMETRY_KEY, GEOMETRY),
        (EXECUTION_KEY, execution),
    ];
    for (key, expected) in expected {
        let found = pair(meta, key)?;
        if found != expected {
            return Err(ShardError::Meta {
                key,
                problem: format!("{found:?}, not {expected:?}"),
            });
        }
    }
    Ok(())
}

/// Whether a row group can have rows of these metrics, by what it says of the first and the last of its metrics.
fn may_have(group: &RowGroupMetaData, metrics: &[&str]) -> bool {
    let Some(Statistics::ByteArray(of)) = group.column(METRIC).statistics() else {
        return true;
    };
    let (Some(min), Some(max)) = (of.min_opt(), of.max_opt()) else {
        return true;
    };
    let within = |metric: &&str| (min.data()..=max.data()).contains(&metric.as_bytes());
    metrics.is_empty() || metrics.iter().any(within)
}

/// The columns of numbers of a row group.
struct Numbers {
    lower: Vec<Option<i64>>,
    upper: Vec<Option<i64>>,
    count: Vec<i64>,
    sum: Vec<Option<f64>>,
    min: Vec<Option<f64>>,
    max: Vec<Option<f64>>,
    last: Vec<Option<i64>>,
}

impl Numbers {
    fn read(group: &dyn RowGroupReader) -> Result<Self, ShardError> {
        let whole = |column: usize| read_optional::<Int64Type>(group, &LEAVES[column], column);
        let double = |column: usize| read_optional::<DoubleType>(group, &LEAVES[column], column);
        Ok(Self {
            lower: whole(LOWER)?,
            upper: whole(UPPER)?,
            count: read::<Int64Type>(group, &LEAVES[COUNT], COUNT)?.values,
            sum: double(SUM)?,
            min: double(MIN)?,
            max: double(MAX)?,
            last: whole(LAST)?,
        })
    }
}

fn read_group(
    group: &dyn RowGroupReader,
    metrics: &[&str],
    totals: &mut Totals,
) -> Result<(), ShardError> {
    let numbers = Numbers::read(group)?;
    let lengths = lengths(&numbers.sum);
    // A series has one key, whatever stands in its other rows for those who read them one by one.
    let keys = Keys::of_runs(group, &lengths)?;
    let mut start = 0;
    for (series, length) in lengths.into_iter().enumerate() {
        let rows = start..start + length;
        let fault = |source: RowFault| ShardError::Row { row: start, source };
        let key = keys.key(series).map_err(fault)?;
        if metrics.is_empty() || metrics.contains(&key.metric.as_str()) {
            let all = of_rows(&key, &numbers, rows).map_err(fault)?;
            if totals.0.insert(Arc::new(key), all).is_some() {
                return Err(fault("its series has rows elsewhere, too".into()));
            }
        }
        start += length;
    }
    Ok(())
}

/// How many rows each series has: only its first has a sum.
fn lengths(sums: &[Option<f64>]) -> Vec<usize> {
    let mut lengths = Vec::new();
    for sum in sums {
        match lengths.last_mut() {
            Some(last) if sum.is_none() => *last += 1,
            _ => lengths.push(1),
        }
    }
    lengths
}

/// A series from its rows.
fn of_rows(key: &SeriesKey, n: &Numbers, rows: Range<usize>) -> Result<Aggregate, RowFault> {
    let at = rows.start;
    let (Some(sum), Some(min), Some(max)) = (n.sum[at], n.min[at], n.max[at]) else {
        return Err(format!("{key} has neither sum, min nor max").into());
    };
    if !(sum.is_finite() && min.is_finite() && max.is_finite() && min <= max) {
        return Err(format!("{key} with sum {sum}, min {min}, max {max}").into());
    }
    let whole = |value: i64| {
        u64::try_from(value).map_err(|_| RowFault::from(format!("{key} with {value}")))
    };
    if key.kind != MetricKind::Trend {
        if rows.len() > 1 || n.lower[at].is_some() {
            return Err(format!("{} {key} with buckets", key.kind).into());
        }
        return Ok(Aggregate {
            count: whole(n.count[at])?,
            sum,
            min,
            max,
            last_ms: n.last[at].unwrap_or(i64::MIN),
            ..Aggregate::new(key.kind)
        });
    }
    let bucket = |row: usize| -> Result<Bucket, RowFault> {
        let (lowest, highest) = n.lower[row]
            .zip(n.upper[row])
            .ok_or_else(|| format!("trend {key} without bounds"))?;
        Ok(Bucket {
            lowest: whole(lowest)?,
            highest: whole(highest)?,
            count: whole(n.count[row])?,
        })
    };
    let buckets: Vec<Bucket> = rows.map(bucket).collect::<Result<_, _>>()?;
    let count = buckets.iter().fold(0u64, |n, b| n.saturating_add(b.count));
    let exact = Exact {
        count,
        sum: sum as u64,
        min: min as u64,
        max: max as u64,
    };
    Ok(Aggregate {
        count,
        sum,
        min,
        max,
        histogram: Some(Histogram::from_buckets(exact, buckets)?),
        ..Aggregate::new(key.kind)
    })
}
