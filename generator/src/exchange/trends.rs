//! The distributions of one series of requests.

use super::protocol::{MOST_TRENDS, Protocol, ZERO_GROUPS, ZeroGroup};
use crate::clock::Nanos;
use floodgate_core::histogram::Histogram;

/// Nanoseconds as µs, to the nearest.
#[inline]
pub const fn micros(nanos: Nanos) -> u64 {
    (nanos + 500) / 1_000
}

/// One histogram a trend of the protocol, in its order.
#[derive(Clone, Debug)]
pub struct Trends {
    protocol: &'static Protocol,
    histograms: [Histogram; MOST_TRENDS],
    /// Requests with a zero in each trend of a group, added by [`Self::settle`].
    zeros: [u64; ZERO_GROUPS],
}

impl Trends {
    /// Empty ones.
    pub fn new(protocol: &'static Protocol) -> Self {
        Self {
            protocol,
            histograms: Default::default(),
            zeros: [0; ZERO_GROUPS],
        }
    }

    /// Counts a time to a trend, by its place among the protocol's.
    #[inline]
    pub fn record(&mut self, trend: usize, nanos: Nanos) {
        self.histograms[trend].record(micros(nanos));
    }

    /// Counts times to trends that follow each other, which the protocol has to have.
    #[inline]
    pub fn record_all<const N: usize>(&mut self, first: usize, nanos: [Nanos; N]) {
        for (histogram, nanos) in self.histograms[first..].iter_mut().zip(nanos) {
            histogram.record(micros(nanos));
        }
    }

    /// Counts a zero to each trend of a group: one addition, whatever their number.
    #[inline]
    pub const fn zero(&mut self, group: ZeroGroup) {
        self.zeros[group] += 1;
    }

    /// Puts the zeros that were only counted where they belong.
    pub fn settle(&mut self) {
        let zeros = std::mem::take(&mut self.zeros);
        for (trend, histogram) in self.protocol.trends.iter().zip(&mut self.histograms) {
            if let Some(group) = trend.zeros {
                histogram.record_n(0, zeros[group]);
            }
        }
    }

    /// The histograms, in the order of the protocol's trends.
    pub fn histograms(&self) -> &[Histogram] {
        &self.histograms[..self.protocol.trends.len()]
    }

    /// Adds other settled ones of the same protocol.
    pub fn add(&mut self, other: &Self) {
        for (mine, theirs) in self.histograms.iter_mut().zip(&other.histograms) {
            mine.add(theirs);
        }
    }

    /// Forgets all, keeping the memory.
    pub fn clear(&mut self) {
        self.zeros = [0; ZERO_GROUPS];
        self.histograms.iter_mut().for_each(Histogram::clear);
    }
}
