//! Parquet to rows. The bytes may be cut off, damaged or made up: a checksum stands between damage and the library, and sizes
//! are bounded before anything is read.

use super::schema::{
    COUNT, HISTOGRAM, KIND, LEAVES, Leaf, MAX, METRIC, MIN, SUM, TAG_KEY, TAG_VALUE, TAGS, TIME,
    WINDOW,
};
use super::seal::check_sum;
use super::{Row, RowFault, Shard, ShardError, ShardMeta};
use crate::histogram::{Exact, check_encoded};
use bytes::Bytes;
use floodgate_records::metric::{MetricKind, SeriesKey, Tags};
use parquet::column::reader::get_typed_column_reader;
use parquet::data_type::{ByteArray, ByteArrayType, DataType, DoubleType, Int32Type, Int64Type};
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData};
use parquet::file::reader::{FileReader, RowGroupReader, SerializedFileReader};
use std::panic::AssertUnwindSafe;
use std::str::Utf8Error;
use std::sync::Arc;

/// The largest file that is decoded, and the largest size of its columns without compression, in bytes.
pub const MAX_SHARD_BYTES: u64 = 1 << 30;
/// The most rows of a file.
pub const MAX_ROWS: u64 = 16 << 20;

/// Decodes a file and checks every row of it.
///
/// # Errors
/// [`ShardError`] for anything that [`super::encode`] has not written as it is.
pub fn decode(bytes: &[u8]) -> Result<Shard, ShardError> {
    limit(bytes.len() as u64, "bytes", MAX_SHARD_BYTES)?;
    check_sum(bytes)?;
    // The checksum keeps damage out, not malice: whoever can write to the store can make it right, and the library takes
    // lengths in pages for granted. Nothing outside of the closure is left half done by a panic in it.
    std::panic::catch_unwind(|| decode_checked(bytes)).unwrap_or(Err(ShardError::Contradiction))
}

/// Decodes a file as [`decode`] does, and hands its rows over row group by row group, so that no more of them are in memory at once. After an
/// error, rows have been handed over that are of no use.
///
/// # Errors
/// As for [`decode`].
pub fn decode_groups(bytes: &[u8], mut each: impl FnMut(&[Row])) -> Result<(), ShardError> {
    limit(bytes.len() as u64, "bytes", MAX_SHARD_BYTES)?;
    check_sum(bytes)?;
    let decode = AssertUnwindSafe(|| {
        read_groups(bytes, |rows| {
            each(rows);
            rows.clear();
        })
    });
    std::panic::catch_unwind(decode).unwrap_or(Err(ShardError::Contradiction))?;
    Ok(())
}

fn decode_checked(bytes: &[u8]) -> Result<Shard, ShardError> {
    let mut all = Vec::new();
    let meta = read_groups(bytes, |rows| all.append(rows))?;
    Ok(Shard { meta, rows: all })
}

/// Reads group by group. What is done with the rows has to leave none behind.
fn read_groups(bytes: &[u8], mut each: impl FnMut(&mut Vec<Row>)) -> Result<ShardMeta, ShardError> {
    let file = SerializedFileReader::new(Bytes::copy_from_slice(bytes))?;
    let meta = ShardMeta::parse(|key| pair(file.metadata(), key))?;
    let extents = check_layout(&LEAVES, file.metadata(), bytes.len() as u64)?;
    Extent::of_all(extents).check()?;
    let mut rows = Vec::new();
    for group in 0..file.num_row_groups() {
        read_group(file.get_row_group(group)?.as_ref(), &mut rows)?;
        each(&mut rows);
    }
    Ok(meta)
}

pub(crate) fn limit(found: u64, unit: &'static str, limit: u64) -> Result<(), ShardError> {
    if found > limit {
        Err(ShardError::TooLarge { found, unit, limit })
    } else {
        Ok(())
    }
}

pub(crate) fn pair(meta: &ParquetMetaData, key: &'static str) -> Result<String, ShardError> {
    let pairs = meta.file_metadata().key_value_metadata();
    let found = pairs.and_then(|pairs| pairs.iter().find(|pair| pair.key == key)?.value.clone());
    found.ok_or_else(|| ShardError::Meta {
        key,
        problem: "missing: not a Floodgate shard".into(),
    })
}

/// What reading takes.
#[derive(Clone, Copy, Default)]
pub(crate) struct Extent {
    rows: u64,
    bytes: u64,
}

impl Extent {
    /// What reading all of these takes.
    pub(crate) fn of_all(extents: Vec<Self>) -> Self {
        extents.into_iter().fold(Self::default(), Self::and)
    }

    fn and(self, other: Self) -> Self {
        Self {
            rows: self.rows.saturating_add(other.rows),
            bytes: self.bytes.saturating_add(other.bytes),
        }
    }

    /// Bounds it.
    pub(crate) fn check(self) -> Result<(), ShardError> {
        limit(self.rows, "rows", MAX_ROWS)?;
        limit(self.bytes, "bytes without compression", MAX_SHARD_BYTES)
    }
}

/// What reading each row group takes, once it is certain that the columns are the ones that will be read.
pub(crate) fn check_layout(
    leaves: &[Leaf],
    meta: &ParquetMetaData,
    length: u64,
) -> Result<Vec<Extent>, ShardError> {
    let schema = meta.file_metadata().schema_descr();
    for (i, leaf) in leaves.iter().enumerate() {
        let fault = |problem: String| ShardError::Column {
            column: leaf.path.to_owned(),
            problem,
        };
        let found = schema
            .columns()
            .get(i)
            .ok_or_else(|| fault("missing".into()))?;
        let path = found.path().string();
        let levels = (found.max_def_level(), found.max_rep_level());
        if path != leaf.path || found.physical_type() != leaf.physical || levels != leaf.levels {
            let (physical, levels) = (found.physical_type(), (levels.0, levels.1));
            return Err(fault(format!(
                "column {i} is `{path}` of type {physical} with levels {levels:?}"
            )));
        }
    }
    let whole = |n: i64| u64::try_from(n).unwrap_or(u64::MAX);
    let mut extents = Vec::new();
    for group in meta.row_groups() {
        let mut extent = Extent {
            rows: whole(group.num_rows()),
            bytes: 0,
        };
        for column in group.columns() {
            check_place(column, length)?;
            extent.bytes = extent
                .bytes
                .saturating_add(whole(column.uncompressed_size()));
        }
        extents.push(extent);
    }
    Ok(extents)
}

/// Whether a column chunk lies inside of the file: the library takes that for granted.
fn check_place(column: &ColumnChunkMetaData, length: u64) -> Result<(), ShardError> {
    let start = column
        .dictionary_page_offset()
        .unwrap_or(column.data_page_offset());
    let end = u64::try_from(start)
        .ok()
        .zip(u64::try_from(column.compressed_size()).ok());
    let end = end.and_then(|(start, size)| start.checked_add(size));
    if end.is_some_and(|end| end <= length) {
        return Ok(());
    }
    let problem = format!(
        "lies at {start} with {} bytes, the file has {length}",
        column.compressed_size()
    );
    Err(ShardError::Column {
        column: column.column_path().string(),
        problem,
    })
}

/// A column of a row group: values that are there, and levels.
pub(crate) struct Column<T> {
    pub(crate) values: Vec<T>,
    defined: Vec<i16>,
    repeated: Vec<i16>,
}

impl<T> Column<T> {
    /// By row, of a column that may have gaps.
    fn by_row(self) -> Vec<Option<T>> {
        let mut values = self.values.into_iter();
        let levels = self.defined.into_iter();
        levels
            .map(|level| if level > 0 { values.next() } else { None })
            .collect()
    }
}

pub(crate) fn read<T: DataType>(
    group: &dyn RowGroupReader,
    leaf: &Leaf,
    column: usize,
) -> Result<Column<T::T>, ShardError> {
    let rows = usize::try_from(group.metadata().num_rows()).unwrap_or(usize::MAX);
    let mut reader = get_typed_column_reader::<T>(group.get_column_reader(column)?);
    let mut out = Column {
        values: Vec::new(),
        defined: Vec::new(),
        repeated: Vec::new(),
    };
    let mut done = 0;
    while done < rows {
        let (records, _, levels) = reader.read_records(
            (rows - done).min(8_192),
            Some(&mut out.defined),
            Some(&mut out.repeated),
            &mut out.values,
        )?;
        if records == 0 && levels == 0 {
            break;
        }
        done += records;
    }
    let (definition, repetition) = leaf.levels;
    let held = match (definition, repetition) {
        (0, 0) => out.values.len(),
        (_, 0) => out.defined.len(),
        _ => out.repeated.iter().filter(|&&level| level == 0).count(),
    };
    if held != rows {
        let problem = format!("holds {held} of {rows} rows");
        return Err(ShardError::Column {
            column: leaf.path.to_owned(),
            problem,
        });
    }
    Ok(out)
}

/// A column that may have gaps, by row.
pub(crate) fn read_optional<T: DataType>(
    group: &dyn RowGroupReader,
    leaf: &Leaf,
    column: usize,
) -> Result<Vec<Option<T::T>>, ShardError> {
    Ok(read::<T>(group, leaf, column)?.by_row())
}

/// The texts of the first row of each run of so many rows; the others are passed over undecoded.
fn read_firsts(
    group: &dyn RowGroupReader,
    column: usize,
    lengths: &[usize],
) -> Result<Column<ByteArray>, ShardError> {
    let mut reader = get_typed_column_reader::<ByteArrayType>(group.get_column_reader(column)?);
    let mut out = Column {
        values: Vec::new(),
        defined: Vec::new(),
        repeated: Vec::new(),
    };
    for &length in lengths {
        let (read, _, _) = reader.read_records(
            1,
            Some(&mut out.defined),
            Some(&mut out.repeated),
            &mut out.values,
        )?;
        let rest = length.saturating_sub(1);
        if read != 1 || reader.skip_records(rest)? != rest {
            return Err(ShardError::Column {
                column: LEAVES[column].path.to_owned(),
                problem: "holds fewer rows than others".to_owned(),
            });
        }
    }
    Ok(out)
}

pub(super) fn read_group(group: &dyn RowGroupReader, out: &mut Vec<Row>) -> Result<(), ShardError> {
    let times = read::<Int64Type>(group, &LEAVES[TIME], TIME)?.values;
    let windows = read::<Int32Type>(group, &LEAVES[WINDOW], WINDOW)?.values;
    let counts = read::<Int64Type>(group, &LEAVES[COUNT], COUNT)?.values;
    let sums = read::<DoubleType>(group, &LEAVES[SUM], SUM)?.values;
    let mins = read::<DoubleType>(group, &LEAVES[MIN], MIN)?.values;
    let maxs = read::<DoubleType>(group, &LEAVES[MAX], MAX)?.values;
    let histograms = read_optional::<ByteArrayType>(group, &LEAVES[HISTOGRAM], HISTOGRAM)?;
    let keys = Keys::read(group)?;
    out.reserve(times.len());
    let mut last: Option<(usize, Arc<SeriesKey>)> = None;
    for (i, histogram) in histograms.into_iter().enumerate() {
        let row = out.len();
        let fault = |source: RowFault| ShardError::Row { row, source };
        let key = match last {
            Some((before, key)) if keys.same(before, i) => key,
            _ => Arc::new(keys.key(i).map_err(fault)?),
        };
        last = Some((i, key.clone()));
        let row = Row {
            time_ms: times[i],
            window_s: u32::try_from(windows[i]).unwrap_or(0),
            key,
            count: u64::try_from(counts[i])
                .map_err(|_| fault(format!("count {} is negative", counts[i]).into()))?,
            sum: sums[i],
            min: mins[i],
            max: maxs[i],
            histogram: histogram.map(|bytes| Bytes::copy_from_slice(bytes.data())),
        };
        row.check().map_err(fault)?;
        out.push(row);
    }
    Ok(())
}

/// The columns of the key, which stand at the same places in all files.
pub(crate) struct Keys {
    metric: Vec<ByteArray>,
    kind: Vec<ByteArray>,
    tags: Vec<Vec<Option<ByteArray>>>,
    /// By row: where its tags stand in `names` and `values`.
    map: Vec<std::ops::Range<usize>>,
    names: Vec<ByteArray>,
    values: Vec<ByteArray>,
}

impl Keys {
    /// Those of every row.
    fn read(group: &dyn RowGroupReader) -> Result<Self, ShardError> {
        Self::of(|column| read::<ByteArrayType>(group, &LEAVES[column], column))
    }

    /// Those of the first row of each run of so many rows.
    pub(crate) fn of_runs(
        group: &dyn RowGroupReader,
        lengths: &[usize],
    ) -> Result<Self, ShardError> {
        Self::of(|column| read_firsts(group, column, lengths))
    }

    fn of(
        read: impl Fn(usize) -> Result<Column<ByteArray>, ShardError>,
    ) -> Result<Self, ShardError> {
        let (names, values) = (read(TAG_KEY)?, read(TAG_VALUE)?);
        if names.defined != values.defined || names.repeated != values.repeated {
            let problem = "its names and values differ in number".to_owned();
            return Err(ShardError::Column {
                column: "tags".to_owned(),
                problem,
            });
        }
        let mut map: Vec<std::ops::Range<usize>> = Vec::new();
        let mut at = 0;
        for (&defined, &repeated) in names.defined.iter().zip(&names.repeated) {
            if repeated == 0 {
                map.push(at..at);
            }
            if defined > 0 {
                at += 1;
                if let Some(range) = map.last_mut() {
                    range.end = at;
                }
            }
        }
        Ok(Self {
            metric: read(METRIC)?.values,
            kind: read(KIND)?.values,
            tags: (TAGS..TAG_KEY)
                .map(|column| Ok(read(column)?.by_row()))
                .collect::<Result<_, ShardError>>()?,
            map,
            names: names.values,
            values: values.values,
        })
    }

    fn same(&self, a: usize, b: usize) -> bool {
        let (x, y) = (self.map[a].clone(), self.map[b].clone());
        self.metric[a] == self.metric[b]
            && self.kind[a] == self.kind[b]
            && self.tags.iter().all(|column| column[a] == column[b])
            && self.names[x.clone()] == self.names[y.clone()]
            && self.values[x] == self.values[y]
    }

    pub(crate) fn key(&self, row: usize) -> Result<SeriesKey, RowFault> {
        let metric = text(&self.metric[row])?;
        if metric.is_empty() {
            return Err("metric without a name".into());
        }
        let kind = text(&self.kind[row])?;
        let kind =
            MetricKind::parse(kind).ok_or_else(|| format!("{kind:?} is not a kind of metric"))?;
        let mut tags = Tags::new();
        for (column, name) in self.tags.iter().zip(Tags::COLUMNS) {
            if let Some(value) = &column[row] {
                tags = tags.with(name, text(value)?);
            }
        }
        let range = self.map[row].clone();
        for (name, value) in self.names[range.clone()].iter().zip(&self.values[range]) {
            tags = tags.with(text(name)?, text(value)?);
        }
        Ok(SeriesKey {
            metric: metric.to_owned(),
            kind,
            tags,
        })
    }
}

fn text(bytes: &ByteArray) -> Result<&str, NotText> {
    Ok(std::str::from_utf8(bytes.data())?)
}

/// A text of a row that is none.
#[derive(Debug, thiserror::Error)]
#[error("text is not UTF-8: {0}")]
struct NotText(#[from] Utf8Error);

impl Row {
    /// Whether kind, numbers and histogram fit each other.
    fn check(&self) -> Result<(), RowFault> {
        // A year of 8,000 in ms is far from where sums of times overflow.
        if !(0..1 << 48).contains(&self.time_ms) || self.window_s == 0 {
            let (length, start) = (self.window_s, self.time_ms);
            return Err(format!("window of {length} s at {start} ms cannot be").into());
        }
        if !(self.sum.is_finite() && self.min.is_finite() && self.max.is_finite()) {
            let Self { sum, min, max, .. } = self;
            return Err(format!("sum {sum}, min {min}, max {max} are not all finite").into());
        }
        if self.count > 0 && self.min > self.max {
            return Err(format!("min {} exceeds max {}", self.min, self.max).into());
        }
        match (self.key.kind, &self.histogram) {
            (MetricKind::Trend, Some(bytes)) => Ok(check_encoded(self.exact(), 0, bytes)?),
            (MetricKind::Trend, None) => {
                Err(format!("trend {} without a histogram", self.key).into())
            }
            (kind, Some(_)) => Err(format!("{kind} {} with a histogram", self.key).into()),
            (MetricKind::Rate, None) if self.sum < 0.0 || self.sum > self.count as f64 => {
                Err(format!(
                    "rate {} with {} non-zero of {} samples",
                    self.key, self.sum, self.count
                )
                .into())
            }
            _ => Ok(()),
        }
    }

    /// A trend's exact figures.
    pub(crate) fn exact(&self) -> Exact {
        Exact {
            count: self.count,
            sum: self.sum as u64,
            min: self.min as u64,
            max: self.max as u64,
        }
    }
}
