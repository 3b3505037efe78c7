//! Rows to Parquet, with the column writers of the `parquet` crate.
//!
//! What the layout saves: rows are sorted by series and then by time, so that the columns of the key are a few runs of
//! dictionary numbers; numbers are doubles split by byte, which sets their idle bytes apart; histograms of different metrics
//! stand in different pages; there are no statistics, which nobody prunes such small files by.

use super::schema::{
    COUNT, HISTOGRAM, KIND, LEAVES, MAX, METRIC, MIN, SCHEMA, SUM, TAG_KEY, TAG_VALUE, TAGS, TIME,
    WINDOW,
};
use super::seal::{Group, SealedWriter};
use super::{Row, ShardError, ShardMeta};
use floodgate_records::metric::Tags;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::data_type::{ByteArray, ByteArrayType, DataType, DoubleType, Int32Type, Int64Type};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::SerializedColumnWriter;
use parquet::schema::types::ColumnPath;
use std::io::Write;
use std::sync::Arc;

/// From how many bytes on the histograms of a metric are worth a page: its header and its zstd frame take about 60.
const HISTOGRAM_PAGE_BYTES: usize = 2_048;
/// Rows that the library takes at once, and looks at a page's size after.
const MAX_BATCH: usize = 1 << 20;

/// How much time goes into the compression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    /// zstd level 1: for what a generator writes during a run.
    Fast,
    /// zstd level 9: for what is written once. On histograms it gains 2 % and takes 9 times as long; level 19 would gain 3 % and
    /// take 190 times as long.
    Small,
}

/// Encodes rows as one file with one row group.
///
/// # Errors
/// [`ShardError::Parquet`] if the library refuses, which no row should make it do.
pub fn encode(meta: &ShardMeta, rows: &[Row]) -> Result<Vec<u8>, ShardError> {
    let mut writer = ShardWriter::new(Vec::new(), Effort::Fast)?;
    writer.write(rows)?;
    writer.finish(meta)
}

/// Writes a file row group by row group.
#[derive(Debug)]
pub struct ShardWriter<W: Write + Send> {
    file: SealedWriter<W>,
    rows: u64,
}

impl<W: Write + Send> ShardWriter<W> {
    /// Starts a file.
    ///
    /// # Errors
    /// [`ShardError::Parquet`] if `out` does.
    pub fn new(out: W, effort: Effort) -> Result<Self, ShardError> {
        Ok(Self {
            file: SealedWriter::new(out, &SCHEMA, properties(effort)?)?,
            rows: 0,
        })
    }

    /// Rows written so far.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Writes rows as a row group, in the order of series and time. Nothing if there are none.
    ///
    /// # Errors
    /// [`ShardError::Parquet`] if `out` does.
    pub fn write(&mut self, rows: &[Row]) -> Result<(), ShardError> {
        if rows.is_empty() {
            return Ok(());
        }
        let mut sorted: Vec<&Row> = rows.iter().collect();
        sorted.sort_by(|a, b| {
            let same = Arc::ptr_eq(&a.key, &b.key);
            let by_key = if same {
                std::cmp::Ordering::Equal
            } else {
                a.key.cmp(&b.key)
            };
            by_key.then(a.time_ms.cmp(&b.time_ms))
        });
        let mut group = self.file.next_row_group()?;
        for column in 0..LEAVES.len() {
            write_column(&mut group, column, &sorted)?;
        }
        group.close()?;
        self.rows += rows.len() as u64;
        Ok(())
    }

    /// Ends the file with its metadata and gives back what was written to.
    ///
    /// # Errors
    /// [`ShardError::Parquet`] if `out` does.
    pub fn finish(self, meta: &ShardMeta) -> Result<W, ShardError> {
        self.file.finish(meta.pairs())
    }
}

fn properties(effort: Effort) -> Result<WriterProperties, ShardError> {
    let level = match effort {
        Effort::Fast => 1,
        Effort::Small => 9,
    };
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(level)?))
        .set_statistics_enabled(EnabledStatistics::None)
        .set_offset_index_disabled(true)
        .set_created_by("floodgate".into())
        // One page a column chunk, but for histograms: page headers and zstd frames cost more than smaller pages gain.
        .set_data_page_row_count_limit(usize::MAX)
        .set_data_page_size_limit(8 << 20)
        .set_write_batch_size(MAX_BATCH)
        .set_max_row_group_row_count(None);
    for column in [SUM, MIN, MAX] {
        properties = properties
            .set_column_dictionary_enabled(path(column), false)
            .set_column_encoding(path(column), Encoding::BYTE_STREAM_SPLIT);
    }
    // Counts repeat from metric to metric of a series: zstd finds that in plain bytes, not in packed bits.
    properties = properties
        .set_column_dictionary_enabled(path(COUNT), false)
        .set_column_dictionary_enabled(path(HISTOGRAM), false)
        // A length right before the header that is always the same lengthens the match that zstd finds.
        .set_column_encoding(path(HISTOGRAM), Encoding::PLAIN)
        // Pages of this column end where `put_histograms` ends a batch.
        .set_column_data_page_row_count_limit(path(HISTOGRAM), 1);
    Ok(properties.build())
}

fn path(column: usize) -> ColumnPath {
    ColumnPath::new(LEAVES[column].path.split('.').map(str::to_owned).collect())
}

fn write_column<W: Write + Send>(
    group: &mut Group<'_, W>,
    column: usize,
    rows: &[&Row],
) -> Result<(), ShardError> {
    let mut writer = group.next_column()?.ok_or_else(|| ShardError::Column {
        column: LEAVES[column].path.to_owned(),
        problem: "the library has no writer for it".to_owned(),
    })?;
    match column {
        TIME => put::<Int64Type>(&mut writer, rows.iter().map(|row| row.time_ms).collect())?,
        WINDOW => put::<Int32Type>(
            &mut writer,
            rows.iter().map(|row| row.window_s as i32).collect(),
        )?,
        METRIC => put::<ByteArrayType>(&mut writer, texts(rows, |row| Some(&row.key.metric)).0)?,
        KIND => put::<ByteArrayType>(
            &mut writer,
            texts(rows, |row| Some(row.key.kind.as_str())).0,
        )?,
        COUNT => put::<Int64Type>(
            &mut writer,
            rows.iter().map(|row| row.count as i64).collect(),
        )?,
        SUM => put::<DoubleType>(&mut writer, rows.iter().map(|row| row.sum).collect())?,
        MIN => put::<DoubleType>(&mut writer, rows.iter().map(|row| row.min).collect())?,
        MAX => put::<DoubleType>(&mut writer, rows.iter().map(|row| row.max).collect())?,
        HISTOGRAM => put_histograms(&mut writer, rows)?,
        TAG_KEY | TAG_VALUE => put_map(&mut writer, rows, column == TAG_KEY)?,
        tag => {
            let name = Tags::COLUMNS[tag - TAGS];
            let (values, levels) = texts(rows, |row| row.key.tags.get(name));
            writer
                .typed::<ByteArrayType>()
                .write_batch(&values, Some(&levels), None)?;
        }
    }
    writer.close()?;
    Ok(())
}

fn put<T: DataType>(
    writer: &mut SerializedColumnWriter<'_>,
    values: Vec<T::T>,
) -> Result<(), ShardError> {
    writer.typed::<T>().write_batch(&values, None, None)?;
    Ok(())
}

/// Histograms, in pages that each are of one metric where it has much to say: a page is compressed by itself, with a code
/// for what is frequent in it, and the bytes of few samples are others than those of many.
fn put_histograms(
    writer: &mut SerializedColumnWriter<'_>,
    rows: &[&Row],
) -> Result<(), ShardError> {
    let writer = writer.typed::<ByteArrayType>();
    let (mut values, mut levels, mut bytes) = (Vec::new(), Vec::new(), 0);
    for (i, row) in rows.iter().enumerate() {
        levels.push(i16::from(row.histogram.is_some()));
        if let Some(histogram) = &row.histogram {
            bytes += histogram.len();
            values.push(ByteArray::from(histogram.clone()));
        }
        let next = rows.get(i + 1);
        let last_of_metric = next.is_none_or(|next| next.key.metric != row.key.metric);
        if next.is_none() || (last_of_metric && bytes >= HISTOGRAM_PAGE_BYTES) {
            // The limit of rows of this column's pages ends one here.
            writer.write_batch(&values, Some(&levels), None)?;
            (values, levels, bytes) = (Vec::new(), Vec::new(), 0);
        }
    }
    Ok(())
}

/// Whether a row has the key of the row before it. Rows are sorted: what is worked out of a key serves a run of them.
fn same_key(rows: &[&Row], i: usize) -> bool {
    i > 0 && Arc::ptr_eq(&rows[i - 1].key, &rows[i].key)
}

/// A text of each row's key, where it has it, and the definition levels.
fn texts<'a>(
    rows: &[&'a Row],
    text: impl Fn(&'a Row) -> Option<&'a str>,
) -> (Vec<ByteArray>, Vec<i16>) {
    let mut values = Vec::with_capacity(rows.len());
    let mut levels = Vec::with_capacity(rows.len());
    let mut value: Option<ByteArray> = None;
    for (i, &row) in rows.iter().enumerate() {
        if !same_key(rows, i) {
            value = text(row).map(ByteArray::from);
        }
        levels.push(i16::from(value.is_some()));
        values.extend(value.clone());
    }
    (values, levels)
}

/// Names or values of the tags that have no column of their own.
fn put_map(
    writer: &mut SerializedColumnWriter<'_>,
    rows: &[&Row],
    keys: bool,
) -> Result<(), ShardError> {
    let (mut values, mut defined, mut repeated) = (Vec::new(), Vec::new(), Vec::new());
    let mut texts: Vec<ByteArray> = Vec::new();
    for (i, row) in rows.iter().enumerate() {
        if !same_key(rows, i) {
            let tags = row.key.tags.0.iter();
            let others = tags.filter(|(name, _)| !Tags::COLUMNS.contains(&name.as_str()));
            texts.clear();
            texts.extend(others.map(|(name, value)| {
                ByteArray::from(if keys { name.as_str() } else { value.as_str() })
            }));
        }
        // A row without such tags has one entry all the same, which says so.
        for place in 0..texts.len().max(1) {
            defined.push(i16::from(!texts.is_empty()));
            repeated.push(i16::from(place > 0));
        }
        values.extend_from_slice(&texts);
    }
    writer
        .typed::<ByteArrayType>()
        .write_batch(&values, Some(&defined), Some(&repeated))?;
    Ok(())
}
