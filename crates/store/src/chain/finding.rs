//! What can be wrong with a trail.

use std::fmt;

/// What is wrong with a trail. Lines and numbers count from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// An entry does not say any more what it said when it was written.
    Changed {
        /// Its number.
        seq: u64,
        /// Where it stands.
        line: usize,
    },
    /// Entries are gone from the middle or the beginning.
    Removed {
        /// The first of them.
        first: u64,
        /// The last.
        last: u64,
    },
    /// An entry stands behind one that was written later.
    Moved {
        /// Its number.
        seq: u64,
        /// Where it stands.
        line: usize,
    },
    /// There are two entries of this number.
    Twice {
        /// The number.
        seq: u64,
        /// Where the second one stands.
        line: usize,
    },
    /// An entry follows another one than stands before it: one of the two was replaced.
    Unlinked {
        /// Its number.
        seq: u64,
        /// That of the one before.
        before: u64,
    },
    /// Entries are gone from the end.
    Truncated {
        /// The first of them.
        first: u64,
        /// The last, as the head says.
        last: u64,
    },
    /// An entry is not the one that a head names, though it fits its neighbours: everything since was written anew.
    Rewritten {
        /// Its number.
        seq: u64,
    },
    /// What stood there before the chain began was changed, or the trail is another project's.
    Beginning,
    /// The head is gone, so that nobody knows where the trail ended.
    NoHead,
    /// There are more entries behind the head than one that a process was interrupted at.
    PastHead {
        /// What the head says.
        head: u64,
        /// What there is.
        newest: u64,
    },
    /// An entry without a place in the chain, behind entries that have one.
    Unchained {
        /// Where it stands.
        line: usize,
    },
    /// A line that is no entry, or a part of one.
    Unreadable {
        /// Where it stands.
        line: usize,
    },
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changed { seq, line } => write!(f, "entry {seq} (line {line}) was changed"),
            Self::Removed { first, last } => write!(f, "{} removed", entries(*first, *last)),
            Self::Moved { seq, line } => {
                write!(f, "entry {seq} (line {line}) was moved behind a later one")
            }
            Self::Twice { seq, line } => {
                write!(f, "entry {seq} stands there twice, again in line {line}")
            }
            Self::Unlinked { seq, before } => write!(
                f,
                "entry {seq} does not follow entry {before}: one of them was replaced"
            ),
            Self::Truncated { first, last } => {
                write!(f, "{} cut off at the end", entries(*first, *last))
            }
            Self::Rewritten { seq } => write!(
                f,
                "entry {seq} is not the one that was kept: the trail was written anew up to there"
            ),
            Self::Beginning => f.write_str(
                "the beginning was changed: what stood there before the chain, or the project",
            ),
            Self::NoHead => {
                f.write_str("the head is gone: whether the trail ends where it ended nobody knows")
            }
            Self::PastHead { head, newest } => write!(
                f,
                "the head names entry {head}, and there are entries up to {newest}: the head is an old one, or they were added past floodgate"
            ),
            Self::Unchained { line } => {
                write!(f, "line {line} is an entry that is not in the chain")
            }
            Self::Unreadable { line } => write!(
                f,
                "line {line} is no entry: it was damaged, or its writer was interrupted"
            ),
        }
    }
}

fn entries(first: u64, last: u64) -> String {
    match first == last {
        true => format!("entry {first} was"),
        false => format!("entries {first} to {last} were"),
    }
}
