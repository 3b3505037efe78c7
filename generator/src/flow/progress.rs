//! Where an iteration is in its loops and choices.

use super::check::JsonBody;
use super::hop::Final;
use super::io::Io;
use crate::clock::Nanos;
use serde_json_path::JsonPath;

/// Where an iteration is in its loops and choices.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    pub(super) loops: Vec<Loop>,
    /// How often each choice was made.
    pub(super) choices: Vec<u32>,
    pub(super) seen: Option<Seen>,
}

#[derive(Debug, Default)]
pub(super) struct Loop {
    pub(super) passes: u32,
    pub(super) items: std::vec::IntoIter<String>,
}

/// The last response that a condition may look at.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) last: Final,
    /// When its step was intended to begin.
    pub(super) intended: Nanos,
    pub(super) json: JsonBody,
}

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// The next operation.
    On,
    /// The one at that place.
    To(u32),
    /// The same, once others have had their turn.
    Again(u32),
    /// None.
    End,
}

impl Progress {
    /// Of an iteration that begins, with so many loops and choices.
    pub(crate) fn begin(&mut self, loops: usize, choices: usize) {
        self.loops.clear();
        self.loops.resize_with(loops, Loop::default);
        self.choices.clear();
        self.choices.resize(choices, 0);
        self.seen = None;
    }

    pub(super) fn collect<I: Io>(&mut self, number: u16, path: &JsonPath, most: u32, io: &I) {
        let items = match &mut self.seen {
            Some(seen) if seen.last.is_whole() => seen.json.nodes(io.body(), path, most as usize),
            _ => Vec::new(),
        };
        self.loops[usize::from(number)].items = items.into_iter();
    }
}
