//! Placement and bounds.

use super::context::Decoder;
use crate::definition::field::Field;
use crate::definition::keys::grammar::tasks;
use crate::definition::keys::run;
use crate::definition::model::{Region, RunOptions};
use crate::definition::shape::Shape;
use crate::definition::tree::Node;

/// The memory in MiB that Fargate offers with a CPU: least, most, and the step from one multiple to the next
/// (<https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-cpu-memory-error.html>).
const FARGATE: [(u32, u32, u32, u32); 7] = [
    // 512 MiB, 1 GB or 2 GB: there is no 1.5.
    (256, 512, 2_048, 1_024),
    (512, 1_024, 4_096, 1_024),
    (1_024, 2_048, 8_192, 1_024),
    (2_048, 4_096, 16_384, 1_024),
    (4_096, 8_192, 30_720, 1_024),
    (8_192, 16_384, 61_440, 4_096),
    (16_384, 32_768, 122_880, 8_192),
];

impl Default for RunOptions {
    /// What the keys of `run` declare.
    fn default() -> Self {
        let cpu = run::CPU.unless_given();
        Self {
            tasks: None,
            cpu,
            memory: twice(cpu),
            regions: Vec::new(),
            max_cost_usd: None,
            max_duration: None,
            max_series: run::MAX_SERIES.unless_given(),
            tolerance: run::TOLERANCE.unless_given().0,
            min_applied_load: run::MIN_APPLIED_LOAD.unless_given().0,
            min_completed_load: run::MIN_COMPLETED_LOAD.unless_given().0,
            redact: Vec::new(),
        }
    }
}

/// The memory in MiB that goes with a CPU unless it is given: offered with each of them.
const fn twice(cpu: u32) -> u32 {
    cpu.saturating_mul(2)
}

impl Decoder<'_> {
    /// `run`.
    pub(super) fn run(&mut self, node: &Node) -> RunOptions {
        let cpu = run::CPU.or_default(node);
        let memory = run::MEMORY.of(node).unwrap_or(twice(cpu));
        self.check_size(node, cpu, memory);
        let tasks = run::TASKS.or_default(node);
        RunOptions {
            tasks: tasks_of(&tasks),
            cpu,
            memory,
            regions: self.regions(node),
            max_cost_usd: run::MAX_COST_USD.of(node),
            max_duration: run::MAX_DURATION.of(node),
            max_series: run::MAX_SERIES.or_default(node),
            tolerance: run::TOLERANCE.or_default(node).0,
            min_applied_load: run::MIN_APPLIED_LOAD.or_default(node).0,
            min_completed_load: run::MIN_COMPLETED_LOAD.or_default(node).0,
            redact: run::REDACT.of(node).unwrap_or_default(),
        }
    }

    fn regions(&mut self, node: &Node) -> Vec<Region> {
        let mut regions: Vec<Region> = Vec::new();
        for item in run::REGIONS.items(node) {
            let Some(region) = run::NAME.of(item) else {
                continue;
            };
            if regions.iter().any(|other| other.region == region) {
                let issue = item.issue("the region appears twice");
                self.sink
                    .push(issue.hint("give it one entry with a greater weight"));
            }
            let weight = run::WEIGHT.or_default(item);
            regions.push(Region { region, weight });
        }
        regions
    }

    /// Whether Fargate has such a task. What is open, or past the bounds of its key, is none of its business.
    fn check_size(&mut self, node: &Node, cpu: u32, memory: u32) {
        let is_sound = |key: Field<u32>| match (key.of(node), key.key.shape) {
            (Some(given), Shape::Integer { min, max }) => (*min..=*max).contains(&u64::from(given)),
            _ => !key.is_given(node),
        };
        if !is_sound(run::CPU) {
            return;
        }
        let Some((_, least, most, step)) = FARGATE.iter().find(|(size, ..)| *size == cpu) else {
            if let Some(place) = run::CPU.place(node) {
                let sizes: Vec<_> = FARGATE.iter().map(|(size, ..)| size.to_string()).collect();
                self.sink.push(
                    place
                        .issue(format!("Fargate has no task of {cpu} CPU units"))
                        .allowed(sizes.join(", ")),
                );
            }
            return;
        };
        let fits = (*least..=*most).contains(&memory)
            && (memory.is_multiple_of(*step) || memory == *least);
        if let Some(place) = run::MEMORY
            .place(node)
            .filter(|_| !fits && is_sound(run::MEMORY))
        {
            let issue = place.issue(format!(
                "Fargate has no task of {cpu} CPU units with {memory} MiB"
            ));
            let allowed = if least.is_multiple_of(*step) {
                format!("{least} to {most} MiB in steps of {step}")
            } else {
                format!("{least} MiB, or {step} to {most} in steps of {step}")
            };
            self.sink.push(issue.allowed(allowed));
        }
    }
}

/// How many tasks; `None` is `auto`.
fn tasks_of(text: &str) -> Option<u32> {
    tasks(text).ok().flatten()
}
