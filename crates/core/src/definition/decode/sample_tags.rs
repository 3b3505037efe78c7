//! The tags that samples of a definition's steps will have.

use crate::definition::model::Step;
use std::collections::{BTreeMap, BTreeSet};

/// The values that a definition gives to the tags which thresholds mostly ask for.
#[derive(Default)]
pub(super) struct TagsOfSamples {
    pub(super) values: BTreeMap<&'static str, BTreeSet<String>>,
    /// Whether there are more that are not known, since a step is faulty.
    pub(super) more: bool,
}

impl TagsOfSamples {
    /// The tags that are looked at.
    pub(super) const TAGS: [&'static str; 4] = ["scenario", "group", "name", "check"];

    /// Notes a scenario. One without steps is faulty.
    pub(super) fn add(&mut self, scenario: &str, flow: &[Step]) {
        self.note("scenario", scenario);
        self.of_steps(flow, "");
        self.more |= flow.is_empty();
    }

    fn note(&mut self, tag: &'static str, value: impl Into<String>) {
        self.values.entry(tag).or_default().insert(value.into());
    }

    fn of_steps(&mut self, steps: &[Step], group: &str) {
        for step in steps {
            match step {
                Step::Group { name, .. } => self.note("group", format!("{group}::{name}")),
                Step::Request(request) => {
                    self.note("name", &request.name);
                    for check in &request.checks {
                        self.note("check", &check.name);
                    }
                    for (name, _) in &request.extract {
                        self.note("check", format!("extract {name}"));
                    }
                    for recorded in &request.record {
                        self.note("check", format!("record {}", recorded.metric));
                    }
                }
                _ => {}
            }
            let inner = match step {
                Step::Group { name, .. } => &format!("{group}::{name}"),
                _ => group,
            };
            for steps in step.blocks() {
                self.of_steps(steps, inner);
            }
        }
    }
}
