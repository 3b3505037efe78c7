//! What was asked of other systems while a run went on, and did not come.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Why values of observed series are missing. How many there are the merged series says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observed {
    /// By metric: the first few reasons, each once.
    pub problems: BTreeMap<String, Vec<String>>,
}

impl Observed {
    /// Reasons that are kept of a metric.
    const KEPT: usize = 3;

    /// Takes note of why values of a metric are missing.
    pub fn note(&mut self, metric: &str, problem: String) {
        let known = self.problems.entry(metric.to_owned()).or_default();
        if known.len() < Self::KEPT && !known.contains(&problem) {
            known.push(problem);
        }
    }
}
