//! Open windows of one length.

use super::cell::Cell;
use std::collections::BTreeMap;

/// Closed windows that are kept for the next ones: as many as are open at once when samples come out of order, as a rule.
const SPARES: usize = 16;
/// The cells of all of these, at most: with many series the memory of their histograms is not worth keeping. One window is kept in any case.
const SPARE_CELLS: usize = 32_000;

/// Cells by window and series. Samples come nearly in the order of time, so that one window is kept at hand.
pub(super) struct Windows {
    origin_us: i64,
    length_us: i64,
    /// The window at hand, by number from the origin, and its cells by series.
    current: i64,
    cells: Vec<Cell>,
    others: BTreeMap<i64, Vec<Cell>>,
    spare: Vec<Vec<Cell>>,
}

impl Windows {
    pub(super) fn new(origin_ms: i64, length_s: u32) -> Self {
        Self {
            origin_us: origin_ms.saturating_mul(1_000),
            length_us: i64::from(length_s) * 1_000_000,
            current: 0,
            cells: Vec::new(),
            others: BTreeMap::new(),
            spare: Vec::new(),
        }
    }

    pub(super) fn length_s(&self) -> u32 {
        (self.length_us / 1_000_000) as u32
    }

    #[inline]
    pub(super) fn cell(&mut self, series: usize, at_us: i64) -> &mut Cell {
        let begun = self.start_us(self.current);
        if !(begun..begun.saturating_add(self.length_us)).contains(&at_us) {
            self.change(at_us);
        }
        if series >= self.cells.len() {
            self.cells.resize_with(series + 1, Cell::default);
        }
        &mut self.cells[series]
    }

    /// The window of a time. Times are an engine's, which may be any number: nothing here overflows.
    fn number_of(&self, at_us: i64) -> i64 {
        at_us
            .saturating_sub(self.origin_us)
            .div_euclid(self.length_us)
    }

    /// When a window begins.
    #[inline]
    fn start_us(&self, number: i64) -> i64 {
        let after = number.saturating_mul(self.length_us);
        self.origin_us.saturating_add(after)
    }

    /// Puts the window at hand away and takes up the one of that time.
    #[cold]
    fn change(&mut self, at_us: i64) {
        let wanted = self.number_of(at_us);
        let next = self
            .others
            .remove(&wanted)
            .or_else(|| self.spare.pop())
            .unwrap_or_default();
        let last = std::mem::replace(&mut self.cells, next);
        if last.iter().any(|cell| !cell.is_empty()) {
            self.others.insert(self.current, last);
        } else if !last.is_empty() {
            // One that `take_until` has taken has nothing to be used again, and would hide those that have.
            self.spare.push(last);
        }
        self.current = wanted;
    }

    /// Takes all windows that end at or before a time, by their start in Unix ms, in the order of time.
    pub(super) fn take_until(&mut self, until_ms: i64) -> Vec<(i64, Vec<Cell>)> {
        // The first window that ends later; there is none after the end of time.
        let first = match until_ms {
            i64::MAX => i64::MAX,
            until_ms => self.number_of(until_ms.saturating_mul(1_000)),
        };
        if self.current < first {
            let last = std::mem::take(&mut self.cells);
            if last.iter().any(|cell| !cell.is_empty()) {
                self.others.insert(self.current, last);
            }
        }
        let later = self.others.split_off(&first);
        let taken = std::mem::replace(&mut self.others, later);
        taken
            .into_iter()
            .map(|(number, cells)| (self.start_us(number).div_euclid(1_000), cells))
            .collect()
    }

    /// Cells of a closed window, to be used again.
    pub(super) fn recycle(&mut self, mut cells: Vec<Cell>) {
        let all = (self.spare.len() + 1) * cells.len();
        if self.spare.len() < SPARES && (all <= SPARE_CELLS || self.spare.is_empty()) {
            cells.iter_mut().for_each(Cell::clear);
            self.spare.push(cells);
        }
    }

    /// The cells of a series that hold anything, with the start of their windows in Unix ms, in the order of time but for the window at hand,
    /// which comes last.
    pub(super) fn open_cells(&self, series: usize) -> impl Iterator<Item = (i64, &Cell)> {
        let others = self.others.iter().map(|(number, cells)| (*number, cells));
        let windows = others.chain(std::iter::once((self.current, &self.cells)));
        windows
            .filter_map(move |(number, cells)| {
                let start_ms = self.start_us(number).div_euclid(1_000);
                Some((start_ms, cells.get(series)?))
            })
            .filter(|(_, cell)| !cell.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A window a second, closed as time goes on: what is kept does not grow.
    #[test]
    fn closed_windows_are_used_again() {
        let mut windows = Windows::new(0, 1);
        for second in 0..1_000 {
            for series in 0..3 {
                windows.cell(series, second * 1_000_000).count(1.0);
            }
            for (start_ms, cells) in windows.take_until((second + 1) * 1_000) {
                assert_eq!((start_ms, cells.len()), (second * 1_000, 3));
                windows.recycle(cells);
            }
            assert!(
                windows.spare.len() <= 1,
                "{} spare windows",
                windows.spare.len()
            );
        }
        // A whole backlog closed at once leaves no more than the bound.
        for second in 2_000..3_000 {
            windows.cell(0, second * 1_000_000).count(1.0);
        }
        let taken = windows.take_until(i64::MAX / 2_000);
        assert_eq!(taken.len(), 1_000);
        taken
            .into_iter()
            .for_each(|(_, cells)| windows.recycle(cells));
        assert_eq!(windows.spare.len(), SPARES);
    }
}
