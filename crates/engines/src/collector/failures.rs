//! Samples of failures on their way to whoever keeps them: the first of each kind, few and short.

use floodgate_records::failure::{FailureLog, FailureSample};
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Admits the first failures of each kind, and holds them until they are fetched.
#[derive(Debug, Default)]
pub(super) struct Failures {
    /// How many of each kind were wanted, by the kind's hash: two kinds of one hash share their bound, and no more comes of it.
    kinds: HashMap<u64, u32>,
    waiting: Vec<FailureSample>,
    left_out: u64,
}

impl Failures {
    pub(super) fn admits(&mut self, kind: impl Hash) -> bool {
        let mut hasher = DefaultHasher::new();
        kind.hash(&mut hasher);
        let known = self.kinds.len();
        match self.kinds.get_mut(&hasher.finish()) {
            Some(count) => {
                *count += 1;
                *count <= FailureLog::MAX_OF_KIND
            }
            None if known >= FailureLog::MAX_KINDS => {
                self.left_out += 1;
                false
            }
            None => {
                self.kinds.insert(hasher.finish(), 1);
                true
            }
        }
    }

    pub(super) fn add(&mut self, mut sample: FailureSample) {
        sample.shorten();
        self.waiting.push(sample);
    }

    pub(super) fn take(&mut self) -> (Vec<FailureSample>, u64) {
        let waiting = std::mem::take(&mut self.waiting);
        (waiting, std::mem::take(&mut self.left_out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_each_kind_are_admitted_and_the_kinds_are_bounded() {
        let mut failures = Failures::default();
        let admitted = (0..100).filter(|_| failures.admits(("home", 500))).count();
        assert_eq!(admitted, FailureLog::MAX_OF_KIND as usize);
        let kinds = (0..1_000)
            .filter(|n| failures.admits(("home", 501 + n)))
            .count();
        assert_eq!(kinds, FailureLog::MAX_KINDS - 1);
        failures.add(FailureSample::default());
        let (kept, left_out) = failures.take();
        assert_eq!((kept.len(), left_out), (1, 1_000 - kinds as u64));
        assert_eq!(failures.take(), (Vec::new(), 0));
    }
}
