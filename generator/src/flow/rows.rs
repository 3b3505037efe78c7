//! Which row of a data source an iteration has: a function of the iteration's global number alone, so that tasks
//! share a file without talking to each other.
//!
//! * `unique`: with *k* scenarios that read the source, the *j*-th of them (from 0, in the order of the definition) has
//!   row *k·i + j* in its iteration *i*. Rows of different scenarios and iterations are different, and the rows have
//!   run out when *k·i + j* is past the end. A dropped iteration's row stays unused.
//! * `sequential`: row *i* modulo the number of rows, for each scenario on its own.
//! * `random`: any row.

use super::symbols::used_sources;
use floodgate_core::definition::{DataMode, Definition};

/// How one scenario chooses rows of one source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rows {
    pub(crate) mode: DataMode,
    pub(crate) rows: u32,
    /// Scenarios that share the source.
    stride: u64,
    /// Which of them this one is.
    offset: u64,
}

impl Rows {
    /// The share of scenario number `scenario` in data source number `source`.
    pub(crate) fn new(definition: &Definition, scenario: usize, source: usize, rows: u32) -> Self {
        let reads =
            |index: usize| used_sources(definition, &definition.scenarios[index]).contains(&source);
        let readers =
            |range: std::ops::Range<usize>| range.filter(|&index| reads(index)).count() as u64;
        Self {
            mode: definition.data[source].mode,
            rows,
            stride: readers(0..definition.scenarios.len()).max(1),
            offset: readers(0..scenario),
        }
    }

    /// The last iteration that has a `unique` row.
    pub(crate) fn last(&self) -> Option<u64> {
        let last = || u64::from(self.rows).checked_sub(1 + self.offset);
        match self.mode {
            DataMode::Unique => last().map(|rows| rows / self.stride),
            DataMode::Sequential | DataMode::Random => None,
        }
    }

    /// The row of an iteration; `None` when unique rows have run out.
    pub(crate) fn row(&self, iteration: u64, rng: &mut fastrand::Rng) -> Option<u32> {
        match self.mode {
            DataMode::Unique => {
                let row = iteration
                    .checked_mul(self.stride)?
                    .checked_add(self.offset)?;
                (row < u64::from(self.rows)).then_some(row as u32)
            }
            DataMode::Sequential => Some((iteration % u64::from(self.rows)) as u32),
            DataMode::Random => Some(rng.u32(..self.rows)),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn unique_rows_are_given_once_and_all(rows in 1u32..500, readers in 1u64..5) {
            let mut seen = vec![0; rows as usize];
            for offset in 0..readers {
                let share = Rows { mode: DataMode::Unique, rows, stride: readers, offset };
                let mut ended = false;
                for iteration in 0..u64::from(rows) + 2 {
                    match share.row(iteration, &mut fastrand::Rng::with_seed(1)) {
                        Some(row) => {
                            prop_assert!(!ended, "rows that ran out stay out");
                            seen[row as usize] += 1;
                        }
                        None => ended = true,
                    }
                }
                prop_assert!(ended);
            }
            prop_assert!(seen.iter().all(|&n| n == 1));
        }

        #[test]
        fn every_mode_stays_in_range(rows in 1u32.., iteration in any::<u64>()) {
            let mut rng = fastrand::Rng::with_seed(iteration);
            for mode in [DataMode::Unique, DataMode::Sequential, DataMode::Random] {
                let share = Rows { mode, rows, stride: 3, offset: 2 };
                prop_assert!(share.row(iteration, &mut rng).is_none_or(|row| row < rows));
            }
        }
    }
}
