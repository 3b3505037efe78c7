//! Where an iteration happens, and what it is given.

use std::collections::BTreeMap;

/// Where a scenario runs: what templates and random numbers depend on beside the definition.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The execution's id; seeds the random numbers.
    pub execution: &'a str,
    /// The task's number, from 0.
    pub task: u32,
    /// What setup has given.
    pub given: &'a Given,
}

/// The variables that setup has set and extracted, by name.
pub type Given = BTreeMap<String, String>;
