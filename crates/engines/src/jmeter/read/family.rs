//! Which rows of a CSV file are the sum of others, so that no request counts twice.
//!
//! A sampler that follows redirects or loads embedded resources writes a row with the sum, and then a row for each request. What
//! makes the sum known is only the row after it of the same thread. So the last row of each thread is held back until the next one
//! of it: the sum of redirects `home` is followed by `home-0`, which lies within its time.
//!
//! Redirects of embedded resources stand two deep: `page`, `page-0`, `page-1` (sum), then `page-0` and `page-1` *of it*, without a
//! thread's name or with that of a download. These belong to the thread that wrote before them.

use super::feed::{Code, Feed, Outcome};
use super::names::Names;
use super::sample::{Figures, Kind, group, is_orphan};
use crate::collector::Collector;
use std::collections::HashMap;

/// Starts and lengths are rounded each for itself.
const SLACK_MS: i64 = 2;

/// After so much time in the results, counted from when it was read, a row is no longer held back: sub-results are written in one
/// go with their sum.
const HOLD_MS: i64 = 2_000;

/// After so long without a row a thread is forgotten.
const FORGET_MS: i64 = 60_000;

/// Threads that are remembered at most.
const MOST_THREADS: usize = 1 << 16;

/// A row of a sampler.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    pub(super) kind: Kind,
    pub(super) label: u32,
    pub(super) code: Code,
    pub(super) ok: bool,
    /// Whether an assertion failed.
    pub(super) unmet: bool,
    pub(super) figures: Figures,
}

/// The top row of what one sampler wrote.
#[derive(Clone, Copy, Debug)]
struct Root {
    label: u32,
    start_ms: i64,
    end_ms: i64,
    unmet: bool,
}

#[derive(Debug)]
struct Thread {
    group: u32,
    held: Option<Row>,
    /// Whether `held` is the root itself.
    at_root: bool,
    root: Option<Root>,
    /// The latest time in the results when its last row was read.
    read_ms: i64,
}

/// What a row is to the row before it of the same thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Relation {
    /// The row before is a sum, and this is its first part.
    Part,
    /// Another part of the same root.
    Sibling,
    /// The first of another sampler.
    Apart,
}

/// See the [module](self).
#[derive(Debug, Default)]
pub(super) struct Family {
    numbers: HashMap<Box<[u8]>, usize>,
    threads: Vec<Thread>,
    free: Vec<usize>,
    last: usize,
    latest_ms: i64,
    settled_ms: i64,
}

/// Whether a label is `of` and a dash and a number: then the number.
fn part_number(label: &[u8], of: &[u8]) -> Option<u32> {
    let digits = label.strip_prefix(of)?.strip_prefix(b"-")?;
    if digits.is_empty() || digits.len() > 6 {
        return None;
    }
    digits.iter().try_fold(0_u32, |number, byte| {
        byte.is_ascii_digit()
            .then(|| number * 10 + u32::from(byte - b'0'))
    })
}

fn relation(thread: &Thread, held: &Row, row: &Row, orphan: bool, names: &Names) -> Relation {
    let Some(root) = thread.root else {
        return Relation::Apart;
    };
    let (start, end) = (row.figures.start_ms, row.figures.end_ms());
    if start < root.start_ms || end > root.end_ms + SLACK_MS {
        return Relation::Apart;
    }
    let label = names.text(row.label);
    let within_held = start >= held.figures.start_ms && end <= held.figures.end_ms() + SLACK_MS;
    let first_of = |label: &[u8], of: u32| part_number(label, names.text(of)) == Some(0);
    if within_held
        && (first_of(label, held.label) || orphan && !thread.at_root && first_of(label, root.label))
    {
        return Relation::Part;
    }
    if !thread.at_root && part_number(label, names.text(root.label)).is_some() {
        return Relation::Sibling;
    }
    // Without JMeter's numbering only the time tells: a thread does one thing at a time.
    match (start < root.end_ms && end <= root.end_ms, thread.at_root) {
        (false, _) => Relation::Apart,
        (true, true) => Relation::Part,
        (true, false) => Relation::Sibling,
    }
}

impl Family {
    /// Takes the next row.
    #[inline]
    pub(super) fn row(&mut self, thread: &[u8], row: Row, feed: &mut Feed, into: &mut Collector) {
        self.latest_ms = self.latest_ms.max(row.figures.end_ms());
        let orphan = is_orphan(thread);
        let number = if orphan {
            self.parent_of(&row, thread, feed, into)
        } else {
            self.thread(thread, feed, into)
        };
        self.last = number;
        let thread = &mut self.threads[number];
        thread.read_ms = self.latest_ms;
        if let Some(held) = thread.held {
            match relation(thread, &held, &row, orphan, &feed.names) {
                Relation::Part => {
                    if thread.at_root {
                        feed.group(held.label, thread.group, &held.figures, into);
                    }
                    thread.at_root = false;
                    thread.held = Some(row);
                    return;
                }
                Relation::Sibling => {
                    thread.emit(&held, false, feed, into);
                    thread.held = Some(row);
                    return;
                }
                Relation::Apart => thread.emit(&held, true, feed, into),
            }
        }
        thread.begin(row, feed, into);
    }

    fn thread(&mut self, name: &[u8], feed: &mut Feed, into: &mut Collector) -> usize {
        if let Some(&number) = self.numbers.get(name) {
            return number;
        }
        if self.numbers.len() >= MOST_THREADS {
            self.flush(feed, into);
        }
        let group = feed.names.number(group(name));
        let thread = Thread {
            group,
            held: None,
            at_root: false,
            root: None,
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

    /// The thread that a sub-result without one belongs to: one whose last row it is the first part of, or else one whose parts it
    /// goes on with; of several the one that wrote last.
    fn parent_of(
        &mut self,
        row: &Row,
        name: &[u8],
        feed: &mut Feed,
        into: &mut Collector,
    ) -> usize {
        let relation = |thread: &Thread| {
            let held = thread.held.as_ref()?;
            Some(relation(thread, held, row, true, &feed.names))
        };
        let last = self.threads.get(self.last);
        for wanted in [Relation::Part, Relation::Sibling] {
            if last.and_then(relation) == Some(wanted) {
                return self.last;
            }
            let found = |thread: &Thread| relation(thread) == Some(wanted);
            if let Some(number) = self.threads.iter().position(found) {
                return number;
            }
        }
        self.thread(name, feed, into)
    }

    /// Lets go of what has been held long enough, and of threads that are gone. Cheap if little time has passed.
    pub(super) fn settle(&mut self, feed: &mut Feed, into: &mut Collector) {
        if self.latest_ms < self.settled_ms + HOLD_MS {
            return;
        }
        self.settled_ms = self.latest_ms;
        let latest_ms = self.latest_ms;
        for thread in &mut self.threads {
            if thread.read_ms + HOLD_MS <= latest_ms
                && let Some(held) = thread.held.take()
            {
                thread.emit(&held, true, feed, into);
                thread.root = None;
            }
        }
        let (threads, free) = (&self.threads, &mut self.free);
        self.numbers.retain(|_, number| {
            let keep = threads[*number].read_ms + FORGET_MS > latest_ms;
            if !keep {
                free.push(*number);
            }
            keep
        });
    }

    /// Lets go of all, and forgets the threads.
    pub(super) fn flush(&mut self, feed: &mut Feed, into: &mut Collector) {
        for thread in &mut self.threads {
            if let Some(held) = thread.held.take() {
                thread.emit(&held, true, feed, into);
            }
        }
        self.threads.clear();
        self.numbers.clear();
        self.free.clear();
        self.last = 0;
    }
}

impl Thread {
    /// The row is the first of its sampler.
    #[inline]
    fn begin(&mut self, row: Row, feed: &mut Feed, into: &mut Collector) {
        let end_ms = row.figures.end_ms();
        self.root = Some(Root {
            label: row.label,
            start_ms: row.figures.start_ms,
            end_ms,
            unmet: row.unmet,
        });
        self.at_root = true;
        self.held = Some(row);
        feed.assertions(
            self.outcome(&row, row.label, row.ok),
            !row.unmet,
            end_ms,
            into,
        );
    }

    fn outcome(&self, row: &Row, label: u32, ok: bool) -> Outcome {
        Outcome {
            kind: row.kind,
            label,
            group: self.group,
            code: row.code,
            ok,
        }
    }

    /// The row is no sum. It has its root's name; a root whose assertions failed lets its last part fail.
    #[inline]
    fn emit(&self, row: &Row, last: bool, feed: &mut Feed, into: &mut Collector) {
        let (label, unmet) = self
            .root
            .map_or((row.label, false), |root| (root.label, root.unmet));
        let ok = row.ok && !(last && unmet);
        feed.sample(self.outcome(row, label, ok), &row.figures, into);
    }
}
