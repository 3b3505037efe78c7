//! The head of a log, whichever layout it has.

use crate::gatling::assertion::Assertion;

/// What a log's head says.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Head {
    /// The version of Gatling.
    pub(super) version: String,
    /// The simulation's class.
    pub(super) simulation: String,
    /// Its assertions.
    pub(super) assertions: Vec<Assertion>,
    /// How many there are that this build cannot read.
    pub(super) unknown_assertions: usize,
}
