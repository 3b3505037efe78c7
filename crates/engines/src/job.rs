//! One task's part of a run, as an engine is told it.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

/// One task's part of a run.
#[derive(Clone, Debug)]
pub struct Job<'a> {
    /// The folder with the test's files; nothing is written there.
    pub folder: &'a Path,
    /// The script, relative to it.
    pub script: &'a str,
    /// A folder of the task's own for what has to be written.
    pub scratch: &'a Path,
    /// The weights of all tasks; equal ones as a rule.
    pub weights: &'a [u32],
    /// Which of them this is.
    pub place: usize,
    /// The base URL of the target, if the definition has one; scripts find it as the parameter `TARGET` unless they are given one.
    pub target: Option<&'a str>,
    /// Parameters for the script: k6's `-e`, JMeter's `-J`, Gatling's `-D`.
    pub parameters: &'a BTreeMap<String, String>,
    /// The longest time of the load, from the definition, if it says so.
    pub max_duration: Option<Duration>,
    /// Networks (`169.254.0.0/16`) that nothing may be sent to; only k6 can be kept from them.
    pub refused: &'a [String],
    /// The engine's program or home folder, if it is not to be looked for.
    pub home: Option<&'a Path>,
    /// CPUs that the task may use, maybe a fraction; `None` leaves it to the engine to find out.
    pub cpus: Option<f64>,
    /// Bytes of memory that the task may use, this process included; `None` likewise.
    pub memory: Option<u64>,
}

impl Job<'_> {
    /// Processors that an engine's runtime is to count on: whole ones, as many as the task may use.
    pub(crate) fn processors(&self) -> Option<u32> {
        self.cpus.map(|cpus| cpus.ceil().max(1.0) as u32)
    }
}
