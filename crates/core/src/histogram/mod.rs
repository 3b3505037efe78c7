//! Latency histograms of one geometry: HdrHistogram's layout for 1 µs to one hour with three significant digits.
//!
//! The counts of a histogram lie in small pages that come into being when a value falls into them, so that a series
//! with a narrow spread takes a few hundred bytes instead of the 184 KiB of the whole array. Beside the counts stand exact
//! count, sum, minimum and maximum.

mod buckets;
mod codec;
mod geometry;
#[cfg(test)]
mod tests;

pub use codec::check_encoded;
pub use geometry::{GEOMETRY, HIGHEST_US, LOWEST_US, SIGNIFICANT_DIGITS};

use geometry::{BUCKETS, HALF_BITS, highest_of, index_of};

/// log2 of the counts of a page: 16 counts are two cache lines, which a sample touches one of.
const PAGE_BITS: u32 = 4;
const PAGE: usize = 1 << PAGE_BITS;
/// log2 of the pages of a table; a table covers one power of two of values.
const TABLE_BITS: u32 = HALF_BITS - PAGE_BITS;
const TABLE: usize = 1 << TABLE_BITS;
/// Tables of a histogram.
const TABLES: usize = BUCKETS >> HALF_BITS;
/// The numbers of a table and of a page that do not exist: past the end of any histogram's, so that the look-up and the question whether there
/// is one are the same comparison.
const NO_TABLE: u8 = u8::MAX;
const NO_PAGE: u16 = u16::MAX;

/// Why bytes could not be added to a histogram.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HistogramError {
    /// The bytes end before what their header promises.
    #[error("histogram of {found} bytes: its header needs {needed}")]
    Truncated {
        /// Bytes there are.
        found: usize,
        /// Bytes there have to be.
        needed: usize,
    },
    /// There is more than the header promises.
    #[error("histogram of {found} bytes: its header accounts for {needed} only")]
    TrailingBytes {
        /// Bytes there are.
        found: usize,
        /// Bytes there have to be.
        needed: usize,
    },
    /// The first four bytes are not those of an uncompressed V2 histogram.
    #[error(
        "histogram starts with {found:#010x}, not with {:#010x} (HdrHistogram V2, uncompressed)",
        codec::COOKIE
    )]
    Cookie {
        /// What stands there.
        found: u32,
    },
    /// A histogram of another range or precision: adding it would be a guess.
    #[error("histogram has {field} {found}, not {expected}: it was recorded with another geometry")]
    Geometry {
        /// The header's field.
        field: &'static str,
        /// Its value.
        found: String,
        /// The only value that is accepted.
        expected: String,
    },
    /// Counts past the last bucket.
    #[error("histogram has counts past bucket {}, which holds one hour", BUCKETS - 1)]
    TooLong,
    /// Counts that do not fit 64 bits.
    #[error("histogram counts exceed 2^64 - 1 samples")]
    Overflow,
    /// Count, sum, minimum or maximum contradict the buckets.
    #[error("histogram says {field} {stated}, its buckets say {found}")]
    Contradiction {
        /// Which.
        field: &'static str,
        /// What stands beside the buckets.
        stated: u64,
        /// What the buckets allow.
        found: u64,
    },
}

/// Exact figures that stand beside the buckets, in µs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exact {
    /// Samples.
    pub count: u64,
    /// Their sum.
    pub sum: u64,
    /// The smallest.
    pub min: u64,
    /// The largest.
    pub max: u64,
}

/// Samples in one bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// The smallest value that falls into it, in µs.
    pub lowest: u64,
    /// The largest, in µs.
    pub highest: u64,
    /// How many did.
    pub count: u64,
}

/// A histogram of µs; see the [module](self).
///
/// ```
/// use floodgate_core::histogram::Histogram;
///
/// let (mut all, mut other) = (Histogram::new(), Histogram::new());
/// (1..=99).for_each(|ms| all.record(ms * 1_000));
/// other.record(5_000_000);
/// all.add(&other);
/// assert_eq!((all.count(), all.quantile(1.0)), (100, 5_000_000));
/// let median = all.quantile(0.5);
/// assert!(median.abs_diff(50_000) <= 50, "{median}");
/// ```
#[derive(Clone, Debug)]
pub struct Histogram {
    /// By power of two: the table's number in `tables`, or [`NO_TABLE`].
    octaves: [u8; TABLES],
    /// By page of a power of two: the page's number in `pages`, or [`NO_PAGE`].
    tables: Vec<[u16; TABLE]>,
    /// Counts.
    pages: Vec<[u64; PAGE]>,
    count: u64,
    sum: u64,
    min: u64,
    max: u64,
    clamped: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self::new()
    }
}

impl Histogram {
    /// An empty histogram; allocates nothing.
    pub const fn new() -> Self {
        Self {
            octaves: [NO_TABLE; TABLES],
            tables: Vec::new(),
            pages: Vec::new(),
            count: 0,
            sum: 0,
            min: u64::MAX,
            max: 0,
            clamped: 0,
        }
    }

    /// Counts a value in µs. One above [`HIGHEST_US`] is clamped to it, in the sum and the maximum too, and counted in
    /// [`Self::clamped`]; zero is a value like any other.
    #[inline]
    pub fn record(&mut self, value_us: u64) {
        self.record_n(value_us, 1);
    }

    /// Counts a value `n` times. The count saturates at 2^64 - 1.
    #[inline]
    pub fn record_n(&mut self, value_us: u64, n: u64) {
        // Saturating the total first keeps every bucket below it, so that no bucket ever overflows.
        let n = n.min(u64::MAX - self.count);
        if n == 0 {
            return;
        }
        let value = if value_us > HIGHEST_US {
            self.clamped = self.clamped.saturating_add(n);
            HIGHEST_US
        } else {
            value_us
        };
        *self.slot(index_of(value)) += n;
        self.count += n;
        self.sum = self.sum.saturating_add(value.saturating_mul(n));
        self.min = self.min.min(value);
        self.max = self.max.max(value);
    }

    /// Adds all samples of another histogram.
    pub fn add(&mut self, other: &Self) {
        if u64::MAX - self.count < other.count {
            // Beyond 1.8e19 samples: bucket by bucket, as many as fit.
            for (index, count) in other.indexed() {
                let n = count.min(u64::MAX - self.count);
                *self.slot(index) += n;
                self.count += n;
            }
        } else {
            for (octave, &table) in other.octaves.iter().enumerate() {
                let Some(table) = other.tables.get(usize::from(table)) else {
                    continue;
                };
                for (place, &page) in table.iter().enumerate() {
                    let Some(page) = other.pages.get(usize::from(page)) else {
                        continue;
                    };
                    let own = self.page((octave << TABLE_BITS) | place);
                    for (mine, theirs) in own.iter_mut().zip(page) {
                        *mine += theirs;
                    }
                }
            }
            self.count += other.count;
        }
        self.sum = self.sum.saturating_add(other.sum);
        self.clamped = self.clamped.saturating_add(other.clamped);
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }

    /// Forgets all samples and keeps the memory for the next ones.
    pub fn clear(&mut self) {
        self.octaves = [NO_TABLE; TABLES];
        self.tables.clear();
        self.pages.clear();
        (self.count, self.sum, self.min, self.max, self.clamped) = (0, 0, u64::MAX, 0, 0);
    }

    /// Samples.
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// Whether there is no sample.
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The exact sum in µs; saturates at 2^64 - 1, which is 580,000 years.
    pub const fn sum(&self) -> u64 {
        self.sum
    }

    /// The exact smallest value in µs; 0 when empty.
    pub const fn min(&self) -> u64 {
        if self.is_empty() { 0 } else { self.min }
    }

    /// The exact largest value in µs; 0 when empty.
    pub const fn max(&self) -> u64 {
        self.max
    }

    /// How many values were above [`HIGHEST_US`]. It counts what this histogram recorded; the V2 form does not carry it.
    pub const fn clamped(&self) -> u64 {
        self.clamped
    }

    /// The mean in µs, from the exact sum; 0 when empty.
    pub fn mean(&self) -> f64 {
        if self.is_empty() {
            0.0
        } else {
            self.sum as f64 / self.count as f64
        }
    }

    /// Exact count, sum, minimum and maximum; all zero when empty.
    pub const fn exact(&self) -> Exact {
        Exact {
            count: self.count,
            sum: self.sum,
            min: self.min(),
            max: self.max,
        }
    }

    /// The value in µs at or below which the share `q` of the samples lies; `q` in [0, 1] (outside, and NaN, is taken as the
    /// nearer end). As in HdrHistogram it is the largest value that the bucket of sample ⌈q·n⌉ stands for, here never outside of the
    /// exact minimum and maximum; so `quantile(1.0)` is the maximum and `quantile(0.0)` the minimum. 0 when empty.
    pub fn quantile(&self, q: f64) -> u64 {
        if self.is_empty() {
            return 0;
        }
        if q.is_nan() || q <= 0.0 {
            return self.min;
        }
        if q >= 1.0 {
            return self.max;
        }
        let rank = ((q * self.count as f64).ceil() as u64).clamp(1, self.count);
        let mut seen = 0;
        for (index, count) in self.indexed() {
            seen += count;
            if seen >= rank {
                return highest_of(index).clamp(self.min, self.max);
            }
        }
        self.max
    }

    /// How many samples are surely at or below a value in µs: those of all buckets whose largest value does not exceed it.
    pub fn count_at_or_below(&self, value_us: u64) -> u64 {
        if value_us >= self.max {
            return self.count;
        }
        self.indexed()
            .take_while(|&(index, _)| highest_of(index) <= value_us)
            .map(|(_, count)| count)
            .sum()
    }

    /// Heap memory in bytes.
    pub fn heap_bytes(&self) -> usize {
        self.tables.capacity() * size_of::<[u16; TABLE]>()
            + self.pages.capacity() * size_of::<[u64; PAGE]>()
    }

    /// Bucket numbers and counts of the buckets that hold samples, rising.
    fn indexed(&self) -> impl Iterator<Item = (usize, u64)> + '_ {
        self.used_pages().flat_map(|(first, page)| {
            page.iter()
                .enumerate()
                .filter(|&(_, &count)| count > 0)
                .map(move |(i, &count)| (first + i, count))
        })
    }

    /// Pages that exist, with the number of their first bucket, rising.
    fn used_pages(&self) -> impl Iterator<Item = (usize, &[u64; PAGE])> {
        let tables = self
            .octaves
            .iter()
            .enumerate()
            .filter_map(|(octave, &table)| {
                Some((octave << HALF_BITS, self.tables.get(usize::from(table))?))
            });
        tables.flat_map(move |(first, table)| {
            table.iter().enumerate().filter_map(move |(place, &page)| {
                Some((
                    first + (place << PAGE_BITS),
                    self.pages.get(usize::from(page))?,
                ))
            })
        })
    }

    /// The count of a bucket, to be changed.
    #[inline]
    fn slot(&mut self, index: usize) -> &mut u64 {
        &mut self.page(index >> PAGE_BITS)[index & (PAGE - 1)]
    }

    /// A page by its number over all buckets; comes into being here.
    #[inline]
    fn page(&mut self, number: usize) -> &mut [u64; PAGE] {
        let octave = number >> TABLE_BITS;
        let place = number & (TABLE - 1);
        let mut table = usize::from(self.octaves[octave]);
        if table >= self.tables.len() {
            table = self.new_table(octave);
        }
        let page = usize::from(self.tables[table][place]);
        if page < self.pages.len() {
            &mut self.pages[page]
        } else {
            self.new_page(table, place)
        }
    }

    #[cold]
    fn new_table(&mut self, octave: usize) -> usize {
        let number = self.tables.len();
        self.tables.push([NO_PAGE; TABLE]);
        self.octaves[octave] = number as u8;
        number
    }

    #[cold]
    fn new_page(&mut self, table: usize, place: usize) -> &mut [u64; PAGE] {
        let number = self.pages.len();
        self.pages.push([0; PAGE]);
        self.tables[table][place] = number as u16;
        &mut self.pages[number]
    }
}

/// Equal samples and exact figures, wherever the pages lie.
impl PartialEq for Histogram {
    fn eq(&self, other: &Self) -> bool {
        self.exact() == other.exact()
            && self.clamped == other.clamped
            && self.indexed().eq(other.indexed())
    }
}

impl Eq for Histogram {}

// The numbers of tables and pages fit the types they are kept in.
const _: () = assert!(TABLES <= NO_TABLE as usize && BUCKETS >> PAGE_BITS <= NO_PAGE as usize);
