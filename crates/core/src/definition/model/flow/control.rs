//! Steps that decide which others are done, and how often.

use super::{Extractor, Step};
use crate::check::Check;
use crate::definition::{Definition, Executor, Scenario};
use serde_json_path::JsonPath;
use std::collections::BTreeSet;

/// Steps that are done again and again.
#[derive(Clone, Debug, PartialEq)]
pub struct Repeat {
    /// How often at most.
    pub most: u32,
    /// What must hold before each pass.
    pub condition: Option<Check>,
    /// What a pass does.
    pub steps: Vec<Step>,
}

/// Steps that depend on a condition.
#[derive(Clone, Debug, PartialEq)]
pub struct Branch {
    /// What must hold of the last response, or of a value.
    pub condition: Check,
    /// What is done if it holds.
    pub steps: Vec<Step>,
    /// What is done if it does not.
    pub otherwise: Vec<Step>,
}

/// One of several ways that an iteration may take.
#[derive(Clone, Debug, PartialEq)]
pub struct Way {
    /// Its share, relative to those of the others; at least 1.
    pub weight: u32,
    /// What is done on it.
    pub steps: Vec<Step>,
}

/// Steps that are done for each node of the last response's body.
#[derive(Clone, Debug)]
pub struct Each {
    /// What selects the nodes.
    pub path: JsonPath,
    /// The variable that a pass has its node in, as text if it is a string, else as JSON.
    pub variable: String,
    /// The most nodes; further ones are left out.
    pub most: u32,
    /// What a pass does.
    pub steps: Vec<Step>,
}

impl PartialEq for Each {
    fn eq(&self, other: &Self) -> bool {
        let path = |each: &Self| Extractor::JsonPath(each.path.clone());
        path(self) == path(other)
            && (&self.variable, self.most, &self.steps)
                == (&other.variable, other.most, &other.steps)
    }
}

impl Step {
    /// The lists of steps in this one; none of a step that has no others in it.
    pub fn blocks(&self) -> Vec<&[Self]> {
        match self {
            Self::Group { steps, .. } => vec![steps],
            Self::Repeat(repeat) => vec![&repeat.steps],
            Self::Each(each) => vec![&each.steps],
            Self::If(branch) => vec![&branch.steps, &branch.otherwise],
            Self::Choose(ways) => ways.iter().map(|way| way.steps.as_slice()).collect(),
            Self::Request(_) | Self::Think { .. } | Self::Set(_) | Self::Stop => Vec::new(),
        }
    }

    /// The condition that decides whether steps in this one are done.
    pub fn condition(&self) -> Option<&Check> {
        match self {
            Self::Repeat(repeat) => repeat.condition.as_ref(),
            Self::If(branch) => Some(&branch.condition),
            _ => None,
        }
    }
}

impl Definition {
    /// The flow of setup or teardown as the only scenario of that name: one iteration of one VU.
    #[must_use]
    pub fn once(&self, name: &str, flow: &[Step]) -> Self {
        let longest = std::time::Duration::from_secs(31 * 86_400);
        Self {
            scenarios: vec![Scenario {
                name: name.to_owned(),
                start_time: std::time::Duration::ZERO,
                graceful_stop: std::time::Duration::ZERO,
                executor: Executor::SharedIterations {
                    vus: 1,
                    iterations: 1,
                    max_duration: longest,
                },
                share: None,
                side: None,
                pace: None,
                tags: self.tags.clone(),
                flow: flow.to_vec(),
                http: self.http.clone(),
            }],
            setup: Vec::new(),
            teardown: Vec::new(),
            contract: None,
            ..self.clone()
        }
    }

    /// The metrics of the test's own that flows record.
    pub fn recorded_metrics(&self) -> BTreeSet<String> {
        fn collect(steps: &[Step], metrics: &mut BTreeSet<String>) {
            for step in steps {
                if let Step::Request(request) = step {
                    metrics.extend(request.record.iter().map(|own| own.metric.clone()));
                }
                for steps in step.blocks() {
                    collect(steps, metrics);
                }
            }
        }
        let mut metrics = BTreeSet::new();
        for scenario in &self.scenarios {
            collect(&scenario.flow, &mut metrics);
        }
        metrics.extend(self.observe.iter().map(|spec| spec.metric.clone()));
        metrics
    }
}
