//! One metric of one run as comparisons read it.

use crate::histogram::Histogram;

/// Seconds of a window. Shorter ones depend on each other more and say no more; longer ones leave too few of them.
pub const WINDOW_S: u32 = 10;

/// One metric in one window of [`WINDOW_S`] seconds. A run's windows are given without a gap, empty ones included.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Window {
    /// Samples.
    pub count: u64,
    /// Trend: µs. Counter: what was added. Rate: samples that are not zero.
    pub sum: f64,
    /// Trends only.
    pub histogram: Option<Histogram>,
}

/// Which number of a metric is compared.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Statistic {
    /// A quantile of a trend, in (0, 1).
    Quantile(f64),
    /// The mean of a trend.
    Mean,
    /// The share of samples that are not zero.
    Share,
    /// What a counter gains in a window.
    Gain,
}

impl Statistic {
    /// Samples that must lie on either side of a quantile, so that it has an interval: fewer are a handful of accidents.
    const MIN_BEYOND: f64 = 10.0;

    /// Samples that have to be there for an interval; 0 where any number will do.
    pub(super) fn least_samples(self) -> u64 {
        match self {
            Self::Quantile(p) => (Self::MIN_BEYOND / p.min(1.0 - p)).round() as u64,
            Self::Mean => Self::MIN_BEYOND as u64,
            Self::Share | Self::Gain => 0,
        }
    }
}
