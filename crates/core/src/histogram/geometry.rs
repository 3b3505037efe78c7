//! The one geometry: which value falls into which bucket.
//!
//! The layout is HdrHistogram's (<https://github.com/HdrHistogram/HdrHistogram>, `AbstractHistogram`): values below
//! [`SUB_BUCKETS`] have a bucket each; above, every power of two is split into half as many. 2,048 is the smallest power
//! of two that tells 2 × 10³ values apart, which is what three significant digits take.

/// The smallest value that is told apart from zero, in µs.
pub const LOWEST_US: u64 = 1;
/// The largest value, in µs: one hour. A larger one is clamped to it and counted.
pub const HIGHEST_US: u64 = 3_600_000_000;
/// Decimal digits that a bucket keeps of a value.
pub const SIGNIFICANT_DIGITS: u32 = 3;
/// The geometry as it stands in the metadata of shards.
pub const GEOMETRY: &str = "hdr-v2 lowest=1 highest=3600000000 digits=3 unit=us";

/// Buckets of the first, linear part.
pub(super) const SUB_BUCKETS: u64 = 2048;
/// log2 of the buckets of every further power of two.
pub(super) const HALF_BITS: u32 = 10;
/// Buckets in all, as many as HdrHistogram allots: 21 powers of two above the linear part reach past one hour.
pub(super) const BUCKETS: usize = (22 + 1) << HALF_BITS;

/// The bucket of a value; `value` must not exceed [`HIGHEST_US`].
#[inline]
pub(super) const fn index_of(value: u64) -> usize {
    let magnitude = magnitude_of(value);
    ((magnitude as usize) << HALF_BITS) + (value >> magnitude) as usize
}

/// How many low bits of a value its bucket does not keep.
#[inline]
const fn magnitude_of(value: u64) -> u32 {
    (u64::BITS - (value | (SUB_BUCKETS - 1)).leading_zeros()) - (HALF_BITS + 1)
}

/// The smallest value of a bucket.
#[inline]
pub(super) const fn lowest_of(index: usize) -> u64 {
    let magnitude = (index >> HALF_BITS).saturating_sub(1);
    ((index - (magnitude << HALF_BITS)) as u64) << magnitude
}

/// The largest value of a bucket.
#[inline]
pub(super) const fn highest_of(index: usize) -> u64 {
    let magnitude = (index >> HALF_BITS).saturating_sub(1);
    lowest_of(index) + (1 << magnitude) - 1
}
