//! Series to a file.
//!
//! Encodings are old ones, which every reader knows; bounds rise within a series, and their differences take a third of the bytes. A
//! row group ends where a metric does, once it is worth one, and says which metrics it has: whoever asks for one of them reads no others.

use super::schema::{
    COUNT, DURATION, EXECUTION, LAST, LEAVES, LOWER, MAX, MIN, PROJECT, REVISION, STARTED, SUM,
    TEST, UPPER, VERDICT, VERSION, path,
};
use super::{CONTENT, SCHEMA, schema};
use crate::histogram::{Bucket, GEOMETRY};
use crate::merge::{Aggregate, Totals};
use crate::shard::{
    CONTENT as CONTENT_KEY, EXECUTION as EXECUTION_KEY, GEOMETRY_KEY, Group, KIND, MAX_ROWS,
    METRIC, SCHEMA_KEY, SealedWriter, ShardError, TAG_KEY, TAG_VALUE, TAGS, limit,
};
use floodgate_records::execution::Execution;
use floodgate_records::metric::{MetricKind, SeriesKey, Tags};
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::data_type::{ByteArray, ByteArrayType, DataType, DoubleType, Int64Type};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::SerializedColumnWriter;
use std::io::Write;
use std::time::Duration;

/// Rows from which on a metric has a row group of its own: describing one takes about as many bytes as a thousand rows.
const GROUP_ROWS: usize = 4_096;
/// Rows of a row group at most, but for a single series: bounds what writing takes.
const MOST_ROWS: usize = 1 << 17;

/// A series, and how many rows it has.
struct Series<'a> {
    key: &'a SeriesKey,
    all: &'a Aggregate,
    rows: usize,
}

/// Encodes what a run measured: all series with samples. `duration` is that of the run's data, by which rates are computed.
///
/// # Errors
/// [`ShardError::TooLarge`] for more than [`MAX_ROWS`] rows; [`ShardError::Parquet`] if the library refuses, which nothing should make it
/// do.
pub fn encode(
    execution: &Execution,
    duration: Duration,
    totals: &Totals,
) -> Result<Vec<u8>, ShardError> {
    let series: Vec<Series<'_>> = totals.0.iter().filter_map(|(k, all)| of(k, all)).collect();
    let rows: usize = series.iter().map(|s| s.rows).sum();
    limit(rows as u64, "rows", MAX_ROWS)?;
    let mut file = SealedWriter::new(Vec::new(), &schema::SCHEMA, properties()?)?;
    for group in groups(&series) {
        let mut writer = file.next_row_group()?;
        for column in 0..LEAVES.len() {
            write_column(&mut writer, column, execution, duration, group)?;
        }
        writer.close()?;
    }
    file.finish([
        (SCHEMA_KEY, SCHEMA.to_string()),
        (GEOMETRY_KEY, GEOMETRY.to_owned()),
        (CONTENT_KEY, CONTENT.to_owned()),
        (EXECUTION_KEY, execution.id.clone()),
    ])
}

fn of<'a>(key: &'a SeriesKey, all: &'a Aggregate) -> Option<Series<'a>> {
    let rows = match &all.histogram {
        Some(histogram) => histogram.buckets().count(),
        None => 1,
    };
    (all.count > 0 && rows > 0).then_some(Series { key, all, rows })
}

/// Series that share a row group: they are sorted by metric.
fn groups<'s, 'a>(series: &'s [Series<'a>]) -> Vec<&'s [Series<'a>]> {
    let mut groups = Vec::new();
    let (mut start, mut rows) = (0, 0);
    for (i, one) in series.iter().enumerate() {
        let other_metric = i > 0 && series[i - 1].key.metric != one.key.metric;
        let is_full = rows > 0 && rows + one.rows > MOST_ROWS;
        if is_full || (other_metric && (rows >= GROUP_ROWS || of_metric(series, i) >= GROUP_ROWS)) {
            groups.push(&series[start..i]);
            (start, rows) = (i, 0);
        }
        rows += one.rows;
    }
    if start < series.len() {
        groups.push(&series[start..]);
    }
    groups
}

/// The rows of the metric whose series begin at `from`.
fn of_metric(series: &[Series<'_>], from: usize) -> usize {
    let metric = &series[from].key.metric;
    let same = series[from..]
        .iter()
        .take_while(|s| s.key.metric == *metric);
    same.map(|s| s.rows).sum()
}

fn properties() -> Result<WriterProperties, ShardError> {
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(9)?))
        .set_statistics_enabled(EnabledStatistics::None)
        .set_column_statistics_enabled(path(METRIC), EnabledStatistics::Chunk)
        .set_statistics_truncate_length(None)
        .set_offset_index_disabled(true)
        .set_created_by("floodgate".into())
        .set_data_page_row_count_limit(MOST_ROWS)
        .set_max_row_group_row_count(None);
    for column in [LOWER, UPPER] {
        properties = properties
            .set_column_dictionary_enabled(path(column), false)
            .set_column_encoding(path(column), Encoding::DELTA_BINARY_PACKED);
    }
    Ok(properties.build())
}

fn write_column<W: Write + Send>(
    group: &mut Group<'_, W>,
    column: usize,
    run: &Execution,
    duration: Duration,
    series: &[Series<'_>],
) -> Result<(), ShardError> {
    let mut writer = group.next_column()?.ok_or_else(|| ShardError::Column {
        column: LEAVES[column].path.to_owned(),
        problem: "the library has no writer for it".to_owned(),
    })?;
    let to = &mut writer;
    let i64_of = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    match column {
        EXECUTION => texts(to, series, |_| Some(&run.id))?,
        STARTED => constant::<Int64Type>(to, series, run.started_ms.unwrap_or(run.created_ms))?,
        PROJECT => texts(to, series, |_| Some(&run.project))?,
        TEST => texts(to, series, |_| Some(&run.test))?,
        VERSION => texts(to, series, |_| Some(&run.version))?,
        REVISION => texts(to, series, |_| run.trigger.commit.as_deref())?,
        VERDICT => texts(to, series, |_| Some(run.status.as_str()))?,
        DURATION => constant::<DoubleType>(to, series, duration.as_secs_f64())?,
        METRIC => texts(to, series, |key| Some(&key.metric))?,
        KIND => texts(to, series, |key| Some(key.kind.as_str()))?,
        LOWER => bounds(to, series, |bucket| i64_of(bucket.lowest))?,
        UPPER => bounds(to, series, |bucket| i64_of(bucket.highest))?,
        COUNT => {
            let counts = series.iter().flat_map(counts).map(i64_of).collect();
            put::<Int64Type>(to, counts, None)?;
        }
        SUM => first::<DoubleType>(to, series, |all| Some(all.sum))?,
        MIN => first::<DoubleType>(to, series, |all| Some(all.min))?,
        MAX => first::<DoubleType>(to, series, |all| Some(all.max))?,
        LAST => first::<Int64Type>(to, series, |all| {
            (all.kind == MetricKind::Gauge).then_some(all.last_ms)
        })?,
        TAG_KEY | TAG_VALUE => map(to, series, column == TAG_KEY)?,
        tag => texts(to, series, |key| key.tags.get(Tags::COLUMNS[tag - TAGS]))?,
    }
    writer.close()?;
    Ok(())
}

fn counts(series: &Series<'_>) -> Vec<u64> {
    match &series.all.histogram {
        Some(histogram) => histogram.buckets().map(|bucket| bucket.count).collect(),
        None => vec![series.all.count],
    }
}

fn put<T: DataType>(
    writer: &mut SerializedColumnWriter<'_>,
    values: Vec<T::T>,
    levels: Option<&[i16]>,
) -> Result<(), ShardError> {
    writer.typed::<T>().write_batch(&values, levels, None)?;
    Ok(())
}

fn constant<T: DataType>(
    writer: &mut SerializedColumnWriter<'_>,
    series: &[Series<'_>],
    value: T::T,
) -> Result<(), ShardError> {
    let rows = series.iter().map(|s| s.rows).sum();
    put::<T>(writer, vec![value; rows], None)
}

/// A text of each row's key, where it has one. Levels are ignored in columns that every row has.
fn texts<'a>(
    writer: &mut SerializedColumnWriter<'_>,
    series: &[Series<'a>],
    text: impl Fn(&'a SeriesKey) -> Option<&'a str>,
) -> Result<(), ShardError> {
    let (mut values, mut levels) = (Vec::new(), Vec::new());
    for one in series {
        let value = text(one.key).map(ByteArray::from);
        levels.extend(std::iter::repeat_n(i16::from(value.is_some()), one.rows));
        values.extend(
            value
                .into_iter()
                .flat_map(|v| std::iter::repeat_n(v, one.rows)),
        );
    }
    put::<ByteArrayType>(writer, values, Some(&levels))
}

/// A bound of each bucket.
fn bounds(
    writer: &mut SerializedColumnWriter<'_>,
    series: &[Series<'_>],
    bound: impl Fn(Bucket) -> i64,
) -> Result<(), ShardError> {
    let (mut values, mut levels) = (Vec::new(), Vec::new());
    for one in series {
        let histogram = one.all.histogram.as_ref();
        levels.extend(std::iter::repeat_n(
            i16::from(histogram.is_some()),
            one.rows,
        ));
        values.extend(histogram.into_iter().flat_map(|h| h.buckets()).map(&bound));
    }
    put::<Int64Type>(writer, values, Some(&levels))
}

/// A figure of each series, in its first row.
fn first<T: DataType>(
    writer: &mut SerializedColumnWriter<'_>,
    series: &[Series<'_>],
    figure: impl Fn(&Aggregate) -> Option<T::T>,
) -> Result<(), ShardError> {
    let (mut values, mut levels) = (Vec::new(), Vec::new());
    for one in series {
        let value = figure(one.all);
        levels.push(i16::from(value.is_some()));
        levels.extend(std::iter::repeat_n(0, one.rows - 1));
        values.extend(value);
    }
    put::<T>(writer, values, Some(&levels))
}

/// Names or values of the tags that have no column of their own.
fn map(
    writer: &mut SerializedColumnWriter<'_>,
    series: &[Series<'_>],
    names: bool,
) -> Result<(), ShardError> {
    let (mut values, mut defined, mut repeated) = (Vec::new(), Vec::new(), Vec::new());
    for one in series {
        let others = one.key.tags.0.iter();
        let others = others.filter(|(name, _)| !Tags::COLUMNS.contains(&name.as_str()));
        let texts: Vec<ByteArray> = others
            .map(|(name, value)| {
                ByteArray::from(if names { name.as_str() } else { value.as_str() })
            })
            .collect();
        for _ in 0..one.rows {
            // A row without such tags has one entry all the same, which says so.
            for place in 0..texts.len().max(1) {
                defined.push(i16::from(!texts.is_empty()));
                repeated.push(i16::from(place > 0));
            }
            values.extend_from_slice(&texts);
        }
    }
    let writer = writer.typed::<ByteArrayType>();
    writer.write_batch(&values, Some(&defined), Some(&repeated))?;
    Ok(())
}
