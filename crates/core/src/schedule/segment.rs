//! A segment: the share of one task, or of one worker thread in it, of all things that a scenario numbers from 0
//! (starts, VUs, iterations).
//!
//! Who owns number *n* is a pure function of *n*. The tasks' weights make a cycle of owners, evenly interleaved, that
//! repeats for ever; the worker threads of a task take its numbers in turn. So every number has exactly one owner,
//! however many tasks and threads there are, and the sum over all segments is what one alone would do.

use std::fmt;
use std::sync::Arc;

/// The longest cycle of owners: the sum of the weights after division by their greatest common divisor. It bounds what
/// a segment keeps in memory (4 bytes each) and allows 10,000 equal tasks.
pub const MAX_CYCLE: u64 = 10_000;

/// Why weights make no segments.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SegmentError {
    /// No weights.
    #[error("no weights: give one for each task")]
    NoWeights,
    /// A weight of zero.
    #[error("the weight of task {index} is 0: give at least 1, or leave the task out")]
    ZeroWeight {
        /// Whose.
        index: usize,
    },
    /// An index that no weight belongs to.
    #[error("task {index} of {tasks} does not exist: indices start at 0")]
    NoSuchTask {
        /// The index.
        index: usize,
        /// How many weights there are.
        tasks: usize,
    },
    /// Weights whose ratio needs too long a cycle.
    #[error(
        "the weights add up to {sum} after division by their greatest common divisor, more than {MAX_CYCLE}: round them to smaller numbers"
    )]
    CycleTooLong {
        /// The sum.
        sum: u64,
    },
}

/// A share of all numbers from 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// The owner at each position of the cycle, over all tasks.
    cycle: Arc<[u32]>,
    /// How many tasks the cycle was made for.
    tasks: u32,
    /// Whose numbers these are.
    owner: u32,
    /// The positions of `owner` in the cycle, ascending; empty only if the segment was emptied by [`Self::serving`].
    positions: Arc<[u32]>,
    /// The divisions among threads, the outermost first.
    splits: Vec<Split>,
    /// All divisions as one: of the owner's numbers, those whose rank is `residue` modulo `modulus`.
    modulus: u64,
    residue: u64,
}

/// One division among threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Split {
    parts: u32,
    index: u32,
}

impl Segment {
    /// All numbers.
    pub fn whole() -> Self {
        Self::of_cycle(Arc::new([0]), 1, 0)
    }

    /// The share of task `index` of tasks with these relative weights. Equal weights give task *i* of *N* the numbers
    /// with *n* mod *N* = *i*.
    ///
    /// # Errors
    /// No weights, a weight of 0, an index out of range, or a sum of reduced weights above [`MAX_CYCLE`].
    pub fn of_weights(weights: &[u32], index: usize) -> Result<Self, SegmentError> {
        if weights.is_empty() {
            return Err(SegmentError::NoWeights);
        }
        if let Some(index) = weights.iter().position(|&weight| weight == 0) {
            return Err(SegmentError::ZeroWeight { index });
        }
        if index >= weights.len() {
            return Err(SegmentError::NoSuchTask {
                index,
                tasks: weights.len(),
            });
        }
        let divisor = weights
            .iter()
            .fold(0, |a, &b| greatest_common_divisor(a, b));
        let sum = weights
            .iter()
            .map(|&weight| u64::from(weight / divisor))
            .sum();
        if sum > MAX_CYCLE {
            return Err(SegmentError::CycleTooLong { sum });
        }
        let reduced: Vec<i64> = weights
            .iter()
            .map(|&weight| i64::from(weight / divisor))
            .collect();
        // Both fit: each weight is at least 1, so that there are no more tasks than the bounded sum.
        Ok(Self::of_cycle(
            interleave(&reduced).into(),
            weights.len() as u32,
            index as u32,
        ))
    }

    fn of_cycle(cycle: Arc<[u32]>, tasks: u32, owner: u32) -> Self {
        let positions = positions_of(&cycle, owner);
        Self {
            cycle,
            tasks,
            owner,
            positions,
            splits: Vec::new(),
            modulus: 1,
            residue: 0,
        }
    }

    /// The share of thread `index` of `parts` in this segment: our *k*-th number goes to thread *k* mod `parts`. The
    /// union of all parts is the segment.
    ///
    /// # Panics
    /// If `index` is not below `parts`.
    #[must_use]
    pub fn split(&self, parts: u32, index: u32) -> Self {
        assert!(index < parts, "thread {index} of {parts} does not exist");
        let mut part = self.clone();
        part.push_split(Split { parts, index });
        part
    }

    fn push_split(&mut self, split: Split) {
        self.residue = self
            .residue
            .saturating_add(self.modulus.saturating_mul(u64::from(split.index)));
        self.modulus = self.modulus.saturating_mul(u64::from(split.parts));
        self.splits.push(split);
    }

    /// Whether number `n` is ours.
    pub fn owns(&self, n: u64) -> bool {
        self.cycle[(n % self.cycle.len() as u64) as usize] == self.owner
            && !self.positions.is_empty()
            && self.rank(n) % self.modulus == self.residue
    }

    /// How many of the numbers below `n` are ours.
    pub fn count_below(&self, n: u64) -> u64 {
        self.share_of_rank(self.rank(n))
    }

    /// Our `k`-th number, from `k` = 0; `u64::MAX` where it would not fit, or if nothing is ours.
    pub fn nth(&self, k: u64) -> u64 {
        let weight = self.positions.len() as u64;
        let rank = k
            .checked_mul(self.modulus)
            .and_then(|rank| rank.checked_add(self.residue));
        match (rank, weight) {
            (None, _) | (_, 0) => u64::MAX,
            (Some(rank), _) => (rank / weight)
                .saturating_mul(self.cycle.len() as u64)
                .saturating_add(u64::from(self.positions[(rank % weight) as usize])),
        }
    }

    /// Our share of all numbers, in [0, 1].
    pub fn share(&self) -> f64 {
        self.positions.len() as f64 / self.cycle.len() as f64 / self.modulus as f64
    }

    /// The segment of work that goes with this segment of `vus` VUs.
    ///
    /// Work needs a VU. Where there are fewer VUs than tasks or threads, those without one are taken out: their
    /// positions leave the cycle of tasks, and the threads of a task divide by the number of those that have a VU. What
    /// is left covers all work exactly once, because every task decides alike from the same cycle, and every
    /// thread of a task from the same number of VUs; tasks may differ in their number of threads. Without any VU at all
    /// there is nobody to give the work to, and it stays where it is.
    pub(super) fn serving(&self, vus: u64) -> Self {
        if vus == 0 {
            return self.clone();
        }
        // VUs of our task, later of the part of it that each split leaves.
        let mut ours = self.rank(vus);
        if self.share_of_rank(ours) == 0 {
            return Self {
                positions: Arc::new([]),
                ..self.clone()
            };
        }
        let mut segment = if vus < self.cycle.len() as u64 {
            let mut present = vec![false; self.tasks as usize];
            for &owner in &self.cycle[..vus as usize] {
                present[owner as usize] = true;
            }
            let cycle = self
                .cycle
                .iter()
                .copied()
                .filter(|&owner| present[owner as usize])
                .collect();
            Self::of_cycle(cycle, self.tasks, self.owner)
        } else {
            // Every task comes up in a full cycle.
            Self {
                splits: Vec::new(),
                modulus: 1,
                residue: 0,
                ..self.clone()
            }
        };
        for split in &self.splits {
            // At least one VU is ours, so that `index` is below the number of parts that remain.
            let parts = u64::from(split.parts).min(ours) as u32;
            segment.push_split(Split {
                parts,
                index: split.index,
            });
            ours = (ours - u64::from(split.index)).div_ceil(u64::from(split.parts));
        }
        segment
    }

    /// How many of the numbers below `n` are our task's.
    fn rank(&self, n: u64) -> u64 {
        let length = self.cycle.len() as u64;
        let within = self
            .positions
            .partition_point(|&position| u64::from(position) < n % length);
        n / length * self.positions.len() as u64 + within as u64
    }

    /// How many of our task's first `rank` numbers are ours.
    fn share_of_rank(&self, rank: u64) -> u64 {
        rank.saturating_sub(self.residue).div_ceil(self.modulus)
    }
}

/// `2/4` is the third of four equal tasks, `0/3[5:1:1]` the first of three with those (reduced) weights; each division
/// among threads follows as `.1/2`.
impl fmt::Display for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.owner, self.tasks)?;
        if self.cycle.len() > self.tasks as usize {
            let mut weights = vec![0_u32; self.tasks as usize];
            for &owner in &*self.cycle {
                weights[owner as usize] += 1;
            }
            for (index, weight) in weights.iter().enumerate() {
                write!(f, "{}{weight}", if index == 0 { '[' } else { ':' })?;
            }
            f.write_str("]")?;
        }
        self.splits
            .iter()
            .try_for_each(|split| write!(f, ".{}/{}", split.index, split.parts))
    }
}

fn positions_of(cycle: &[u32], owner: u32) -> Arc<[u32]> {
    (0_u32..)
        .zip(cycle)
        .filter(|&(_, &at)| at == owner)
        .map(|(position, _)| position)
        .collect()
}

/// Smooth weighted round robin: at each position every owner gains its weight, the richest one (the first of equals)
/// takes the position and pays the sum. It spreads an owner's positions evenly, so that a heavy task does not get its
/// starts in bursts.
/// Source: nginx, <https://github.com/nginx/nginx/commit/52327e0627f49dbda1e8db695e63a4b0af4448b1>.
fn interleave(weights: &[i64]) -> Vec<u32> {
    let sum: i64 = weights.iter().sum();
    if sum == weights.len() as i64 {
        // All weights are 1; the rule below gives the same in quadratic time.
        return (0..weights.len() as u32).collect();
    }
    let mut credit = vec![0_i64; weights.len()];
    (0..sum)
        .map(|_| {
            let mut richest = 0;
            for owner in 0..weights.len() {
                credit[owner] += weights[owner];
                if credit[owner] > credit[richest] {
                    richest = owner;
                }
            }
            credit[richest] -= sum;
            richest as u32
        })
        .collect()
}

fn greatest_common_divisor(mut a: u32, mut b: u32) -> u32 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn first(segment: &Segment, count: u64) -> Vec<u64> {
        (0..count).map(|k| segment.nth(k)).collect()
    }

    #[test]
    fn equal_weights_take_turns() {
        for weight in [1, 7] {
            for index in 0..5 {
                let segment = Segment::of_weights(&[weight; 5], index).unwrap();
                for n in 0..100 {
                    assert_eq!(segment.owns(n), n % 5 == index as u64);
                }
            }
        }
    }

    #[test]
    fn a_heavy_task_is_spread_over_the_cycle() {
        // nginx's own example: weights 5, 1, 1 give a a b a c a a.
        let of = |index| Segment::of_weights(&[10, 2, 2], index).unwrap();
        assert_eq!(first(&of(0), 6), [0, 1, 3, 5, 6, 7]);
        assert_eq!(first(&of(1), 2), [2, 9]);
        assert_eq!(first(&of(2), 2), [4, 11]);
    }

    #[test]
    fn faults_name_value_limit_and_remedy() {
        assert_eq!(Segment::of_weights(&[], 0), Err(SegmentError::NoWeights));
        assert_eq!(
            Segment::of_weights(&[1, 0], 0),
            Err(SegmentError::ZeroWeight { index: 1 })
        );
        assert_eq!(
            Segment::of_weights(&[1, 1], 2),
            Err(SegmentError::NoSuchTask { index: 2, tasks: 2 })
        );
        let error = Segment::of_weights(&[9_999, 2], 0).unwrap_err();
        assert_eq!(error, SegmentError::CycleTooLong { sum: 10_001 });
        assert!(
            error.to_string().contains("10001") && error.to_string().contains("10000"),
            "{error}"
        );
        assert!(Segment::of_weights(&[u32::MAX, u32::MAX], 1).is_ok());
        assert!(Segment::of_weights(&[1; 10_000], 9_999).is_ok());
    }

    #[test]
    fn its_text_tells_task_weights_and_threads() {
        assert_eq!(Segment::whole().to_string(), "0/1");
        assert_eq!(
            Segment::of_weights(&[3, 3, 3, 3], 2).unwrap().to_string(),
            "2/4"
        );
        let thread = Segment::of_weights(&[10, 2, 2], 1)
            .unwrap()
            .split(2, 1)
            .split(3, 0);
        assert_eq!(thread.to_string(), "1/3[5:1:1].1/2.0/3");
    }

    #[test]
    fn numbers_past_64_bits_saturate() {
        let segment = Segment::of_weights(&[1, 1], 1).unwrap().split(3, 2);
        assert_eq!(segment.nth(u64::MAX), u64::MAX);
        assert_eq!(segment.nth(u64::MAX / 3), u64::MAX);
        assert!(segment.count_below(u64::MAX) <= u64::MAX / 6 + 1);
    }

    #[test]
    fn work_goes_to_those_with_a_vu() {
        // Two VUs, three tasks: the third has none, and the first two take its starts.
        let of = |index| Segment::of_weights(&[1, 1, 1], index).unwrap().serving(2);
        assert_eq!(first(&of(0), 3), [0, 2, 4]);
        assert_eq!(first(&of(1), 3), [1, 3, 5]);
        assert_eq!(of(2).count_below(1_000), 0);
        assert!(!of(2).owns(2));
        // Three VUs on one task of two threads, and one on the other task: its second thread has none.
        let of = |task, thread| {
            Segment::of_weights(&[3, 1], task)
                .unwrap()
                .split(2, thread)
                .serving(4)
        };
        assert_eq!(
            first(&of(1, 0), 3),
            first(&Segment::of_weights(&[3, 1], 1).unwrap(), 3)
        );
        assert_eq!(of(1, 1).count_below(1_000), 0);
        // No VU at all: nothing moves.
        let segment = Segment::of_weights(&[3, 1], 1).unwrap();
        assert_eq!(segment.serving(0), segment);
    }

    proptest! {
        #[test]
        fn owns_count_below_and_nth_agree(
            (weights, index) in prop::collection::vec(1_u32..20, 1..9).prop_flat_map(|w| { let n = w.len(); (Just(w), 0..n) }),
            splits in prop::collection::vec((1_u32..5, any::<prop::sample::Index>()), 0..3),
            vus in 0_u64..200,
            offset in 0_u64..1_000_000_000_000,
        ) {
            let mut segment = Segment::of_weights(&weights, index).unwrap();
            for (parts, pick) in splits {
                segment = segment.split(parts, pick.index(parts as usize) as u32);
            }
            for segment in [segment.serving(vus), segment] {
                let mut ours = segment.count_below(offset);
                for n in offset..offset + 300 {
                    prop_assert_eq!(segment.count_below(n), ours);
                    if segment.owns(n) {
                        prop_assert_eq!(segment.nth(ours), n);
                        ours += 1;
                    }
                }
            }
        }

        #[test]
        fn every_number_has_one_owner_whatever_the_threads_and_vus(
            tasks in prop::collection::vec((1_u32..6, 1_u32..5, 1_u32..4), 1..9),
            vus in 0_u64..40,
        ) {
            // Each task has its own number of threads, and each thread its own parts.
            let weights: Vec<u32> = tasks.iter().map(|task| task.0).collect();
            let mut segments = Vec::new();
            for (index, &(_, threads, parts)) in tasks.iter().enumerate() {
                let task = Segment::of_weights(&weights, index).unwrap();
                for thread in 0..threads {
                    segments.extend((0..parts).map(|part| task.split(threads, thread).split(parts, part)));
                }
            }
            for n in 0..300 {
                prop_assert_eq!(segments.iter().filter(|s| s.owns(n)).count(), 1, "number {}", n);
                prop_assert_eq!(segments.iter().filter(|s| s.serving(vus).owns(n)).count(), 1, "work {}", n);
            }
            for segment in &segments {
                if vus > 0 && segment.count_below(vus) == 0 {
                    prop_assert_eq!(segment.serving(vus).count_below(u64::MAX), 0);
                }
            }
            let share: f64 = segments.iter().map(|s| s.serving(vus).share()).sum();
            prop_assert!((share - 1.0).abs() < 1e-9, "{}", share);
        }

        #[test]
        fn parts_are_even(weights in prop::collection::vec(1_u32..30, 1..9), cycles in 1_u64..50) {
            let sum: u64 = weights.iter().map(|&weight| u64::from(weight)).sum();
            for (index, &weight) in weights.iter().enumerate() {
                let segment = Segment::of_weights(&weights, index).unwrap();
                prop_assert_eq!(segment.count_below(sum * cycles), u64::from(weight) * cycles);
            }
        }
    }
}
