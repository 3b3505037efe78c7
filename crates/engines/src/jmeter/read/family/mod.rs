//! Which rows of a CSV file are the sum of others, so that no request counts twice and none is lost.
//!
//! A sampler that follows redirects or loads embedded resources writes a row with the sum, and then a row for each request. Nothing in
//! the first tells. A row is a sum if rows of the same thread are its parts: they are named after it and numbered (`home-0`, `home-1`),
//! the first begins when it does, and all lie within its time. Where all of that might be chance, since it took no longer than
//! the clock's grain, or where the names differ, what the parts sent and received has to add up as well ([`tree`]).
//!
//! That a row lies within another one's time says nothing by itself: times are rounded, files of several injectors are put together
//! and have the same names of threads, and some write each row twice.
//!
//! Redirects of embedded resources stand two deep: `page`, `page-0`, `page-1` (sum), then `page-0` and `page-1` *of it*, without a
//! thread's name or with that of a download. These belong to the thread that wrote before them.

mod row;
mod tree;

pub(super) use row::{Of, Row};

use super::feed::Feed;
use super::intern::Interner;
use super::outcome::Outcome;
use super::sample::group;
use crate::collector::Collector;
use std::collections::{BTreeMap, HashMap};
use tree::{Held, Tree};

/// After so much time in the results, counted from when it was read, a row is no longer held back: sub-results are written in one
/// go with their sum.
const HOLD_MS: i64 = 2_000;

/// After so long without a row a thread is forgotten.
const FORGET_MS: i64 = 60_000;

/// Threads that are remembered at most.
const MOST_THREADS: usize = 1 << 16;

/// Samplers of one thread that are held at most: one as a rule, more where files of several injectors were put together.
const MOST_TREES: usize = 64;

/// Rows that are held at most.
const MOST_ROWS: usize = 100_000;

/// Labels of sums that are told.
const MOST_TOLD: usize = 10;

#[derive(Debug)]
struct Thread {
    group: u32,
    trees: Vec<Tree>,
    /// The latest time in the results when its last row was read.
    read_ms: i64,
}

/// See the [module](self).
#[derive(Debug, Default)]
pub(super) struct Family {
    numbers: HashMap<Box<[u8]>, usize>,
    threads: Vec<Thread>,
    free: Vec<usize>,
    last: usize,
    /// Rows that are held.
    rows: usize,
    latest_ms: i64,
    settled_ms: i64,
    /// How many rows were sums, by label; of the labels past the bound none.
    sums: BTreeMap<Box<[u8]>, u64>,
    sum_count: u64,
}

impl Family {
    /// Takes the next row.
    #[inline]
    pub(super) fn row(&mut self, of: Of<'_>, row: &Row, feed: &mut Feed, into: &mut Collector) {
        self.latest_ms = self.latest_ms.max(row.figures.end_ms());
        if self.rows >= MOST_ROWS {
            self.flush(feed, into);
        }
        let held = Held::new(*row, &feed.names);
        if of.orphan && self.is_taken(&held, &feed.names) {
            return;
        }
        let number = self.thread(of.thread, feed, into);
        self.last = number;
        self.threads[number].read_ms = self.latest_ms;
        self.let_go(number, |tree| tree.is_apart(row), feed, into);
        let trees = &mut self.threads[number].trees;
        let names = &feed.names;
        if held.may_be_part() && trees.iter_mut().rev().any(|tree| tree.take(&held, names)) {
            self.rows += 1;
            return;
        }
        let mut tree = Tree::new(held);
        if let Some(part) = trees.iter().position(|part| tree.adopts(part, names)) {
            tree.adopt(trees.swap_remove(part));
        }
        trees.push(tree);
        self.rows += 1;
        if self.threads[number].trees.len() > MOST_TREES {
            let mut first = true;
            self.let_go(number, |_| std::mem::take(&mut first), feed, into);
        }
    }

    fn thread(&mut self, name: &[u8], feed: &mut Feed, into: &mut Collector) -> usize {
        if let Some(&number) = self.numbers.get(name) {
            return number;
        }
        if self.numbers.len() >= MOST_THREADS {
            self.flush(feed, into);
        }
        let thread = Thread {
            group: feed.names.number(group(name)),
            trees: Vec::new(),
            read_ms: self.latest_ms,
        };
        let number = match self.free.pop() {
            Some(number) => {
                self.threads[number] = thread;
                number
            }
            None => {
                self.threads.push(thread);
                self.threads.len() - 1
            }
        };
        self.numbers.insert(name.into(), number);
        number
    }

    /// Whether some thread has what a row without one is a part of: the thread that wrote last, or else any.
    fn is_taken(&mut self, row: &Held, names: &Interner) -> bool {
        let takes = |thread: &mut Thread| {
            let mut trees = thread.trees.iter_mut().rev();
            trees.any(|tree| tree.take(row, names))
        };
        let last = self.threads.get_mut(self.last).is_some_and(takes);
        let taken = last || self.threads.iter_mut().any(takes);
        self.rows += usize::from(taken);
        taken
    }

    /// Lets go of what has been held long enough, and of threads that are gone. Cheap if little time has passed.
    pub(super) fn settle(&mut self, feed: &mut Feed, into: &mut Collector) {
        if self.latest_ms < self.settled_ms.saturating_add(HOLD_MS) {
            return;
        }
        self.settled_ms = self.latest_ms;
        let latest_ms = self.latest_ms;
        for number in 0..self.threads.len() {
            if self.threads[number].read_ms.saturating_add(HOLD_MS) <= latest_ms {
                self.let_go(number, |_| true, feed, into);
            }
        }
        let (threads, free) = (&self.threads, &mut self.free);
        self.numbers.retain(|_, number| {
            let keep = threads[*number].read_ms.saturating_add(FORGET_MS) > latest_ms;
            if !keep {
                free.push(*number);
            }
            keep
        });
    }

    /// Lets go of all, and forgets the threads.
    pub(super) fn flush(&mut self, feed: &mut Feed, into: &mut Collector) {
        for number in 0..self.threads.len() {
            self.let_go(number, |_| true, feed, into);
        }
        self.threads.clear();
        self.numbers.clear();
        self.free.clear();
        self.last = 0;
    }

    /// Lets go of some of a thread's rows.
    #[inline]
    fn let_go(
        &mut self,
        number: usize,
        mut which: impl FnMut(&Tree) -> bool,
        feed: &mut Feed,
        into: &mut Collector,
    ) {
        let thread = &mut self.threads[number];
        let group = thread.group;
        let mut trees = std::mem::take(&mut thread.trees);
        trees.retain(|tree| {
            let goes = which(tree);
            if goes {
                self.rows -= tree.len();
                self.emit(tree, group, feed, into);
            }
            !goes
        });
        self.threads[number].trees = trees;
    }

    /// Counts the rows of a sampler. The parts of a sum have its name; one whose assertions failed lets its last part fail, unless one
    /// of them has failed already.
    fn emit(&mut self, tree: &Tree, group: u32, feed: &mut Feed, into: &mut Collector) {
        let outcome = |row: &Row, label: u32, ok: bool| Outcome {
            kind: row.kind,
            label,
            group,
            code: row.code,
            ok,
        };
        let alone = |row: &Row, feed: &mut Feed, into: &mut Collector| {
            let outcome = outcome(row, row.label, row.ok);
            feed.add_failure(row.held, outcome, &row.figures, row.unmet, into);
            feed.assertions(outcome, !row.unmet, row.figures.end_ms(), into);
            feed.sample(outcome, &row.figures, into);
        };
        if let Some(row) = tree.single() {
            return alone(row, feed, into);
        }
        let settled = tree.settle();
        let Some(sum) = settled.sum else {
            settled.leaves.iter().for_each(|row| alone(row, feed, into));
            return;
        };
        self.count_sum(feed.names.text(sum.label));
        feed.group(sum.label, group, &sum.figures, into);
        let of_sum = outcome(sum, sum.label, sum.ok);
        feed.assertions(of_sum, !settled.unmet, sum.figures.end_ms(), into);
        // A sum that failed because a part did says nothing of its own.
        if sum.unmet {
            feed.add_failure(sum.held, of_sum, &sum.figures, true, into);
        } else {
            feed.let_go(sum.held);
        }
        let turned = sum.unmet && settled.leaves.iter().all(|row| row.ok);
        let last = settled.leaves.len() - 1;
        for (place, row) in settled.leaves.into_iter().enumerate() {
            let ok = row.ok && !(turned && place == last);
            let outcome = outcome(row, sum.label, ok);
            feed.add_failure(row.held, outcome, &row.figures, row.unmet, into);
            feed.sample(outcome, &row.figures, into);
        }
    }

    fn count_sum(&mut self, label: &[u8]) {
        self.sum_count += 1;
        if let Some(count) = self.sums.get_mut(label) {
            *count += 1;
        } else if self.sums.len() < MOST_TOLD {
            self.sums.insert(label.into(), 1);
        }
    }

    /// What was taken for a sum, in words.
    pub(super) fn warning(&self) -> Option<String> {
        if self.sum_count == 0 {
            return None;
        }
        let mut list: Vec<_> = self
            .sums
            .iter()
            .map(|(label, count)| {
                let shown: String = String::from_utf8_lossy(label).chars().take(80).collect();
                format!("{shown:?} {count}")
            })
            .collect();
        if self.sums.values().sum::<u64>() < self.sum_count {
            list.push("…".to_owned());
        }
        Some(format!(
            "{} of the rows are sums of the requests in the rows named after them (redirects, embedded resources) and count as              group_duration, not as requests: {}",
            self.sum_count,
            list.join(", ")
        ))
    }
}
