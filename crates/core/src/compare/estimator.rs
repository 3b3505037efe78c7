//! One number of one run, over all of its windows or any choice of blocks of them.

use super::quantile::QuantileTable;
use super::ratio::RatioTable;
use super::series::{Statistic, Window};
use std::ops::Range;

pub(super) struct Estimator {
    windows: usize,
    table: Table,
}

enum Table {
    Quantile(QuantileTable),
    Ratio(RatioTable),
}

impl Estimator {
    /// `None` without a sample.
    pub(super) fn new(statistic: Statistic, windows: &[Window]) -> Option<Self> {
        let table = match statistic {
            Statistic::Quantile(share) => Table::Quantile(QuantileTable::new(share, windows)?),
            _ => Table::Ratio(RatioTable::new(statistic, windows)),
        };
        let estimator = Self {
            windows: windows.len(),
            table,
        };
        (estimator.samples() > 0).then_some(estimator)
    }

    pub(super) fn windows(&self) -> usize {
        self.windows
    }

    pub(super) fn samples(&self) -> u64 {
        match &self.table {
            Table::Quantile(table) => table.samples(),
            Table::Ratio(table) => table.samples(),
        }
    }

    /// The value over some blocks of windows; positive.
    pub(super) fn value(&self, blocks: &[Range<usize>]) -> f64 {
        match &self.table {
            Table::Quantile(table) => table.value(blocks),
            Table::Ratio(table) => table.value(blocks),
        }
    }

    /// The value over all windows.
    pub(super) fn whole(&self) -> f64 {
        self.value(std::slice::from_ref(&(0..self.windows)))
    }

    /// What each window adds to the error of [`Self::whole`], up to a factor.
    pub(super) fn scores(&self) -> Vec<f64> {
        let value = self.whole();
        match &self.table {
            Table::Quantile(table) => table.scores(value),
            Table::Ratio(table) => table.scores(value),
        }
    }

    /// Samples by window.
    pub(super) fn weights(&self) -> Vec<f64> {
        match &self.table {
            Table::Quantile(table) => table.weights(),
            Table::Ratio(table) => table.weights(),
        }
    }

    /// A bound from below of the variance of the value's logarithm.
    pub(super) fn least_variance(&self) -> f64 {
        match &self.table {
            Table::Quantile(_) => 0.0,
            Table::Ratio(table) => table.least_variance(),
        }
    }
}
