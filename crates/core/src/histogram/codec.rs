//! The V2 form of HdrHistogram, uncompressed: a header of 40 bytes, then the counts from bucket 0 on as ZigZag LEB128
//! numbers, where a negative number stands for so many empty buckets
//! (<https://github.com/HdrHistogram/HdrHistogram/blob/master/src/main/java/org/HdrHistogram/AbstractHistogram.java>,
//! `encodeIntoByteBuffer`; the varint of at most nine bytes: `ZigZagEncoding.java` beside it).

use super::geometry::{
    BUCKETS, HIGHEST_US, LOWEST_US, SIGNIFICANT_DIGITS, highest_of, index_of, lowest_of,
};
use super::{Exact, Histogram, HistogramError};
use std::hint::cold_path;

/// V2 with a word size of one byte (`0x1c849303 | 0x10`).
pub(super) const COOKIE: u32 = 0x1c84_9313;
/// Bytes before the counts.
pub(super) const HEADER: usize = 40;

/// What a run over the counts of an encoded histogram found.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) count: u64,
    /// The outermost buckets with a count, if there is any.
    pub(super) first: usize,
    pub(super) last: usize,
}

impl Histogram {
    /// Appends the V2 form: what every HdrHistogram library reads. Exact sum, minimum and maximum are not part of it. Bucket counts
    /// above 2^63 - 1 cannot be written and are saturated.
    pub fn encode_v2(&self, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(&COOKIE.to_be_bytes());
        out.extend_from_slice(&[0; 4]); // length of the counts, known below
        out.extend_from_slice(&[0; 4]); // normalizing index offset
        out.extend_from_slice(&SIGNIFICANT_DIGITS.to_be_bytes());
        out.extend_from_slice(&LOWEST_US.to_be_bytes());
        out.extend_from_slice(&HIGHEST_US.to_be_bytes());
        out.extend_from_slice(&1f64.to_be_bytes()); // integer to double conversion ratio
        debug_assert_eq!(out.len() - start, HEADER);
        let mut next = 0;
        for (index, count) in self.indexed() {
            match index - next {
                0 => {}
                1 => out.push(0), // a single empty bucket is written as a count of zero
                zeros => put_varint(out, zigzag(-(zeros as i64))),
            }
            put_varint(out, zigzag(i64::try_from(count).unwrap_or(i64::MAX)));
            next = index + 1;
        }
        if next == 0 {
            out.push(0); // the other libraries write bucket 0 of an empty histogram
        }
        let length = (out.len() - start - HEADER) as u32;
        out[start + 4..start + 8].copy_from_slice(&length.to_be_bytes());
    }

    /// Adds the samples of a histogram in V2 form straight from its bytes. The form has no exact figures: minimum and maximum
    /// become the ends of the outermost buckets, and the sum grows by the middles of the buckets. Where the exact figures
    /// stand beside the bytes, use [`Self::add_encoded`].
    ///
    /// # Errors
    /// [`HistogramError`] for anything but a histogram of this geometry; then `self` holds the samples it held before.
    pub fn add_v2(&mut self, bytes: &[u8]) -> Result<(), HistogramError> {
        let counts = counts_of(bytes)?;
        let seen = self.add_counts(counts)?;
        if seen.count == 0 {
            return Ok(());
        }
        let mut sum = 0u64;
        let middle = |index| u64::midpoint(lowest_of(index), highest_of(index));
        walk(counts, u64::MAX, &mut 0, |index, count| {
            sum = sum.saturating_add(middle(index).saturating_mul(count));
        })?;
        self.count += seen.count;
        self.sum = self.sum.saturating_add(sum);
        // The geometry has buckets beyond the largest value; other libraries may write counts there.
        self.min = self.min.min(lowest_of(seen.first).min(HIGHEST_US));
        self.max = self.max.max(highest_of(seen.last).min(HIGHEST_US));
        Ok(())
    }

    /// Adds a histogram in V2 form with the exact figures that stand beside it, and `clamped` values among them.
    ///
    /// # Errors
    /// As [`Self::add_v2`], and [`HistogramError::Contradiction`] where the figures do not fit the buckets. `self` then holds what it
    /// held before.
    pub fn add_encoded(
        &mut self,
        exact: Exact,
        clamped: u64,
        bytes: &[u8],
    ) -> Result<(), HistogramError> {
        let counts = counts_of(bytes)?;
        let seen = self.add_counts(counts)?;
        if let Err(error) = seen.check(exact, clamped) {
            self.take_back(counts);
            return Err(error);
        }
        if exact.count > 0 {
            self.count += exact.count;
            self.sum = self.sum.saturating_add(exact.sum);
            self.min = self.min.min(exact.min);
            self.max = self.max.max(exact.max);
            self.clamped = self.clamped.saturating_add(clamped);
        }
        Ok(())
    }

    /// Adds encoded counts to the buckets, all or none of them; the figures beside the buckets are left to the caller.
    fn add_counts(&mut self, counts: &[u8]) -> Result<Seen, HistogramError> {
        let room = u64::MAX - self.count;
        let mut applied = 0;
        let result = walk(counts, room, &mut applied, |index, count| {
            *self.slot(index) += count;
        });
        if result.is_err() {
            // Nothing was kept in order to undo: the part that was added is read a second time.
            self.take_back(&counts[..applied]);
        }
        result
    }

    /// Undoes [`Self::add_counts`] of bytes that it has accepted.
    #[cold]
    fn take_back(&mut self, counts: &[u8]) {
        let undone = walk(counts, u64::MAX, &mut 0, |index, count| {
            *self.slot(index) -= count;
        });
        debug_assert!(undone.is_ok(), "these bytes were accepted before");
    }
}

/// Whether [`Histogram::add_encoded`] would accept these figures and bytes.
///
/// # Errors
/// Those of [`Histogram::add_encoded`].
pub fn check_encoded(exact: Exact, clamped: u64, bytes: &[u8]) -> Result<(), HistogramError> {
    walk(counts_of(bytes)?, u64::MAX, &mut 0, |_, _| ())?.check(exact, clamped)
}

/// The position after a run of empty buckets. One past the end is an error only if a count follows, so all of them are the same.
fn skip(index: usize, zeros: u64) -> usize {
    usize::try_from(zeros).map_or(BUCKETS, |zeros| index.saturating_add(zeros).min(BUCKETS))
}

/// Calls `each` with every non-empty bucket and its count; `read` is how many bytes were taken by numbers that were good.
#[inline(always)]
fn walk(
    counts: &[u8],
    room: u64,
    read: &mut usize,
    mut each: impl FnMut(usize, u64),
) -> Result<Seen, HistogramError> {
    let mut seen = Seen::default();
    let mut rest = counts;
    let mut index = 0usize;
    loop {
        // Nearly all of a histogram goes through here; what is long, odd or wrong is left to the numbers one by one below.
        while let Some(pair) = short_pair(rest) {
            let at = index + pair.gap;
            if at >= BUCKETS || pair.count > room - seen.count {
                break;
            }
            each(at, pair.count);
            seen.add(at, pair.count);
            index = at + 1;
            rest = &rest[pair.bytes..];
        }
        *read = counts.len() - rest.len();
        if rest.is_empty() {
            return Ok(seen);
        }
        let (number, bytes) = varint(rest)?;
        rest = &rest[bytes..];
        let number = unzigzag(number);
        if number < 0 {
            index = skip(index, number.unsigned_abs());
            continue;
        }
        if index >= BUCKETS {
            return Err(HistogramError::TooLong);
        }
        let count = number as u64;
        if count > room - seen.count {
            return Err(HistogramError::Overflow);
        }
        if count > 0 {
            each(index, count);
            seen.add(index, count);
        }
        index += 1;
    }
}

/// A count and the empty buckets before it, as they lie in so many bytes.
struct Pair {
    gap: usize,
    count: u64,
    bytes: usize,
}

/// The next count and the gap before it, if each has at most two bytes. Whether there is a gap and how long it is are as good as random,
/// so that branches on them would be mispredicted every few buckets: there are none. Whether a count takes two bytes is a branch, as most
/// histograms have one kind of counts, and a good guess finds the next pair sooner than arithmetic.
#[inline(always)]
fn short_pair(bytes: &[u8]) -> Option<Pair> {
    let word = u32::from_le_bytes(*bytes.first_chunk()?);
    let long = word >> 7 & 1;
    // A negative number, which ZigZag makes odd, is that many empty buckets; a zero is one.
    let is_gap = (word & 1) | u32::from(word & 0xff == 0);
    let gap_bytes = is_gap << long;
    let number = (word & 0x7f) | (word >> 1 & 0x3f80 & long.wrapping_neg());
    let gap = number.div_ceil(2).max(1) & is_gap.wrapping_neg();
    let rest = word >> (8 * gap_bytes);
    let mut pair = Pair {
        gap: gap as usize,
        count: u64::from(rest & 0xff) >> 1,
        bytes: gap_bytes as usize + 1,
    };
    if rest & 0x80 != 0 {
        cold_path();
        if rest & 0x8000 != 0 {
            return None;
        }
        pair.count = u64::from(rest & 0x7f | rest >> 1 & 0x3f80) >> 1;
        pair.bytes += 1;
    }
    // A gap of three bytes; a gap after a gap; a second zero.
    if word & 0x8080 == 0x8080 || rest & 1 != 0 || pair.count == 0 {
        return None;
    }
    Some(pair)
}

impl Seen {
    #[inline(always)]
    fn add(&mut self, index: usize, count: u64) {
        if self.count == 0 {
            self.first = index;
        }
        self.last = index;
        self.count += count;
    }

    /// Whether exact figures can be those of the buckets that were seen.
    pub(super) fn check(&self, exact: Exact, clamped: u64) -> Result<(), HistogramError> {
        let fault = |field, stated, found| {
            Err(HistogramError::Contradiction {
                field,
                stated,
                found,
            })
        };
        if exact.count != self.count {
            return fault("count", exact.count, self.count);
        }
        if self.count == 0 {
            return Ok(());
        }
        if exact.min > HIGHEST_US || index_of(exact.min) != self.first {
            return fault("minimum", exact.min, lowest_of(self.first));
        }
        if exact.max > HIGHEST_US || index_of(exact.max) != self.last || exact.max < exact.min {
            return fault("maximum", exact.max, highest_of(self.last));
        }
        let (least, most) = (
            exact.min.saturating_mul(exact.count),
            exact.max.saturating_mul(exact.count),
        );
        // Sums come from a column of doubles, which are exact up to 2^53.
        let slack = exact.sum >> 52;
        if exact.sum < least.saturating_sub(slack) || exact.sum > most.saturating_add(slack) {
            return fault(
                "sum",
                exact.sum,
                if exact.sum < least { least } else { most },
            );
        }
        if clamped > exact.count {
            return fault("clamped", clamped, exact.count);
        }
        Ok(())
    }
}

/// The encoded counts behind a header that says what it must.
fn counts_of(bytes: &[u8]) -> Result<&[u8], HistogramError> {
    let found = bytes.len();
    let Some((header, counts)) = bytes.split_first_chunk::<HEADER>() else {
        return Err(HistogramError::Truncated {
            found,
            needed: HEADER,
        });
    };
    let u32_at = |at: usize| {
        u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]])
    };
    let u64_at = |at: usize| u64::from(u32_at(at)) << 32 | u64::from(u32_at(at + 4));
    if u32_at(0) != COOKIE {
        return Err(HistogramError::Cookie { found: u32_at(0) });
    }
    let fields = [
        ("normalizing offset", u64::from(u32_at(8)), 0),
        (
            "significant digits",
            u64::from(u32_at(12)),
            u64::from(SIGNIFICANT_DIGITS),
        ),
        ("lowest value", u64_at(16), LOWEST_US),
        ("highest value", u64_at(24), HIGHEST_US),
    ];
    for (field, found, expected) in fields {
        if found != expected {
            return Err(HistogramError::Geometry {
                field,
                found: found.to_string(),
                expected: expected.to_string(),
            });
        }
    }
    if u64_at(32) != 1f64.to_bits() {
        let found = f64::from_bits(u64_at(32)).to_string();
        return Err(HistogramError::Geometry {
            field: "conversion ratio",
            found,
            expected: "1".into(),
        });
    }
    let needed = HEADER.saturating_add(u32_at(4) as usize);
    match found.cmp(&needed) {
        std::cmp::Ordering::Less => Err(HistogramError::Truncated { found, needed }),
        std::cmp::Ordering::Greater => Err(HistogramError::TrailingBytes { found, needed }),
        std::cmp::Ordering::Equal => Ok(counts),
    }
}

#[inline]
pub(super) const fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

#[inline]
const fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

/// LEB128 of at most nine bytes; the ninth holds eight bits.
pub(super) fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    for _ in 0..8 {
        if value < 0x80 {
            return out.push(value as u8);
        }
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// The first number and how many bytes it takes.
#[cold]
fn varint(bytes: &[u8]) -> Result<(u64, usize), HistogramError> {
    let mut value = 0;
    for (i, &byte) in bytes.iter().enumerate().take(9) {
        let bits = if i == 8 { byte } else { byte & 0x7f };
        value |= u64::from(bits) << (7 * i);
        if byte < 0x80 || i == 8 {
            return Ok((value, i + 1));
        }
    }
    Err(HistogramError::Truncated {
        found: HEADER + bytes.len(),
        needed: HEADER + bytes.len() + 1,
    })
}
