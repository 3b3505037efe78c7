//! A row of the results, and whose it is.

use crate::jmeter::figures::Figures;
use crate::jmeter::read::outcome::Code;
use crate::jmeter::read::sample::Kind;

/// A row of a sampler.
#[derive(Clone, Copy, Debug)]
pub(in crate::jmeter::read) struct Row {
    /// The number of what is known of its failure; 0 of none. See [`Feed::hold`](crate::jmeter::read::feed::Feed::hold).
    pub(in crate::jmeter::read) held: u32,
    pub(in crate::jmeter::read) kind: Kind,
    pub(in crate::jmeter::read) label: u32,
    /// Whether the label is the row's URL.
    pub(in crate::jmeter::read) is_url: bool,
    pub(in crate::jmeter::read) code: Code,
    pub(in crate::jmeter::read) ok: bool,
    /// Whether an assertion failed.
    pub(in crate::jmeter::read) unmet: bool,
    pub(in crate::jmeter::read) figures: Figures,
}

/// Whose row it is.
#[derive(Clone, Copy, Debug)]
pub(in crate::jmeter::read) struct Of<'a> {
    /// The name of its thread.
    pub(in crate::jmeter::read) thread: &'a [u8],
    /// Whether it may be a part of what another thread wrote: see the [module](super).
    pub(in crate::jmeter::read) orphan: bool,
}
