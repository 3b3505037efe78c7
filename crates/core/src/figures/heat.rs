//! Counts by time and by value. Bins are those of powers of two in four equal parts: each edge is a whole number, the same on every machine.

use super::spread::Spread;
use crate::histogram::{Histogram, HistogramError};
use floodgate_records::figures::{Axis, HeatMap};
use std::collections::BTreeMap;

/// Parts of a power of two.
const PARTS: u32 = 4;
/// All values below 4 µs are in one bin.
const LOWEST: u32 = 7;

fn bin(us: u64) -> u32 {
    if us < 4 {
        return LOWEST;
    }
    let power = us.ilog2();
    PARTS * power + ((us >> (power - 2)) & 3) as u32
}

/// The lower end of a bin; of the lowest 1, as on a logarithmic scale there is no 0.
fn edge(bin: u32) -> u64 {
    if bin <= LOWEST {
        return 1;
    }
    let (power, part) = (bin / PARTS, u64::from(bin % PARTS));
    (1 << power) + (part << (power - 2))
}

/// The heat map of a trend whose slots are those of `axis`, with at most `most` columns; `None` without a sample.
pub(super) fn heat_map(
    metric: &str,
    spread: &Spread,
    axis: Axis,
    most: u32,
) -> Result<Option<HeatMap>, HistogramError> {
    let width = axis.slots.div_ceil(most.max(1)).max(1);
    let columns = axis.slots.div_ceil(width) as usize;
    let mut counts: Vec<BTreeMap<u32, u64>> = vec![BTreeMap::new(); columns];
    spread.each(width as usize, |column, all| {
        if let Some(into) = counts.get_mut(column) {
            *into = binned(&all);
        }
    })?;
    let bins = || counts.iter().flat_map(BTreeMap::keys).copied();
    let (Some(first), Some(last)) = (bins().min(), bins().max()) else {
        return Ok(None);
    };
    let pairs = |column: &BTreeMap<u32, u64>| column.iter().map(|(b, n)| (b - first, *n)).collect();
    Ok(Some(HeatMap {
        metric: metric.to_owned(),
        axis: Axis {
            slot_s: axis.slot_s.saturating_mul(width),
            slots: columns as u32,
        },
        edges_us: (first..=last + 1).map(edge).collect(),
        columns: counts.iter().map(pairs).collect(),
    }))
}

fn binned(all: &Histogram) -> BTreeMap<u32, u64> {
    let mut counts = BTreeMap::new();
    for bucket in all.buckets() {
        *counts.entry(bin(bucket.lowest)).or_default() += bucket.count;
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_value_is_between_the_edges_of_its_bin() {
        for us in (1..5_000).chain([1 << 20, 3_600_000_000]) {
            let bin = bin(us);
            assert!(edge(bin) <= us && us < edge(bin + 1), "{us}: bin {bin}");
        }
        assert_eq!(bin(0), LOWEST);
        assert_eq!([7, 8, 9, 10, 11, 12].map(edge), [1, 4, 5, 6, 7, 8]);
    }
}
