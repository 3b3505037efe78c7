//! Thresholds, baseline, placement and notifications.

use super::Build;
use super::http::one_or_more;
use crate::definition::keys::grammar::{MAX_EXPRESSION, tasks};
use crate::definition::keys::names::METRIC;
use crate::definition::model::{
    BaselineRef, BaselineSpec, Channel, Notify, Region, RunOptions, ThresholdSpec,
};
use crate::definition::shape::hide;
use crate::definition::tree::{Entry, Node};
use crate::threshold::{Key, checked_expression, checked_key, pointless};

/// The memory in MiB that Fargate offers with a CPU: least, most, and the step from one multiple to the next
/// (<https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-cpu-memory-error.html>).
const FARGATE: [(u64, u64, u64, u64); 7] = [
    // 512 MiB, 1 GB or 2 GB: there is no 1.5.
    (256, 512, 2_048, 1_024),
    (512, 1_024, 4_096, 1_024),
    (1_024, 2_048, 8_192, 1_024),
    (2_048, 4_096, 16_384, 1_024),
    (4_096, 8_192, 30_720, 1_024),
    (8_192, 16_384, 61_440, 4_096),
    (16_384, 32_768, 122_880, 8_192),
];

/// For which verdicts a notification goes out unless given.
const EVENTS: [&str; 5] = ["failed", "inconclusive", "errored", "aborted", "recovered"];

impl Build<'_> {
    /// `run`.
    pub(super) fn run(&mut self, node: &Node) -> RunOptions {
        let defaults = RunOptions::default();
        let small = |key: &str| {
            node.get(key)
                .and_then(Node::count)
                .and_then(|count| u32::try_from(count).ok())
        };
        let cpu = small("cpu").unwrap_or(defaults.cpu);
        // Twice the CPU is offered with each of them.
        let memory = small("memory").unwrap_or_else(|| cpu.saturating_mul(2));
        self.check_size(node, u64::from(cpu), u64::from(memory));
        let regions = node.get("regions").map_or(&[][..], Node::items);
        let region = |item: &Node| {
            let weight = item
                .get("weight")
                .and_then(Node::count)
                .and_then(|weight| u32::try_from(weight).ok());
            Some(Region {
                region: item.get("region")?.string()?,
                weight: weight.unwrap_or(1),
            })
        };
        for (index, item) in regions.iter().enumerate() {
            let name = |item: &Node| item.get("region").and_then(Node::string);
            if name(item).is_some()
                && regions[..index]
                    .iter()
                    .any(|other| name(other) == name(item))
            {
                self.sink.push(
                    item.issue("the region stands here twice")
                        .hint("give it one entry with a greater weight"),
                );
            }
        }
        let share = |key: &str, unless_given: f64| {
            let given = node.get(key).and_then(Node::ratio);
            given.unwrap_or(unless_given)
        };
        RunOptions {
            tasks: node
                .get("tasks")
                .and_then(|tasks_node| tasks(&tasks_node.text()?).ok())
                .flatten(),
            cpu,
            memory,
            regions: regions.iter().filter_map(region).collect(),
            max_cost_usd: node.get("max_cost_usd").and_then(Node::number),
            max_duration: node.get("max_duration").and_then(Node::duration),
            max_series: small("max_series").unwrap_or(defaults.max_series),
            tolerance: share("tolerance", defaults.tolerance),
            min_applied_load: share("min_applied_load", defaults.min_applied_load),
            min_completed_load: share("min_completed_load", defaults.min_completed_load),
            redact: node
                .get("redact")
                .map_or(&[][..], Node::items)
                .iter()
                .filter_map(Node::string)
                .collect(),
        }
    }

    fn check_size(&mut self, node: &Node, cpu: u64, memory: u64) {
        if ["cpu", "memory"]
            .iter()
            .any(|key| node.get(key).is_some_and(Node::is_open))
        {
            return;
        }
        let Some((_, least, most, step)) = FARGATE.iter().find(|(size, ..)| *size == cpu) else {
            if let Some(place) = node.get("cpu").filter(|place| {
                place
                    .count()
                    .is_some_and(|cpu| (256..=16_384).contains(&cpu))
            }) {
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
        if let Some(place) = node
            .get("memory")
            .filter(|place| !fits && place.count().is_some())
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

    /// `thresholds` in the order of the file.
    pub(super) fn thresholds(&mut self, root: &Node) -> Vec<ThresholdSpec> {
        let mut specs = Vec::new();
        for entry in root.get("thresholds").map_or(&[][..], Node::entries) {
            let key = self.threshold_key(entry);
            for item in one_or_more(&entry.value) {
                let place = item.get("threshold").unwrap_or(item);
                self.no_secret(place);
                // An open one is compiled where it is known.
                let expression = Some(place).filter(|place| !place.is_open());
                let expression = expression.and_then(Node::string);
                let expression = expression.filter(|text| !text.trim().is_empty());
                let Some(expression) = expression.filter(|text| text.len() <= MAX_EXPRESSION)
                else {
                    continue;
                };
                if let Some(key) = &key {
                    self.expression(key, place, &expression, root.get("script").is_some());
                }
                specs.push(ThresholdSpec {
                    key: entry.key.clone(),
                    expression,
                    abort_on_fail: item
                        .get("abortOnFail")
                        .and_then(Node::flag)
                        .unwrap_or(false),
                    delay_abort_eval: item
                        .get("delayAbortEval")
                        .and_then(Node::duration)
                        .unwrap_or_default(),
                });
            }
        }
        specs
    }

    fn threshold_key(&mut self, entry: &Entry) -> Option<Key> {
        let text = Some(&entry.key).filter(|text| (METRIC.valid)(text))?;
        checked_key(text)
            .map_err(|error| self.sink.push(entry.key_syntax(error)))
            .ok()
    }

    fn expression(&mut self, key: &Key, place: &Node, text: &str, scripted: bool) {
        let fault = match checked_expression(key, text) {
            Ok(parsed) => pointless(key, &parsed).filter(|_| !scripted),
            Err(error) => Some(error),
        };
        if let Some((scalar, error)) = place.scalar().zip(fault) {
            self.sink.push(hide(place, scalar, error));
        }
    }
}

/// `baseline`.
pub(super) fn baseline(node: &Node) -> BaselineSpec {
    let compare = node.get("compare").filter(|node| !node.is_open());
    let compare = match compare.and_then(Node::string) {
        Some(id) if id != "last-passed" => BaselineRef::Execution(id.to_ascii_uppercase()),
        _ => BaselineRef::LastPassed,
    };
    BaselineSpec {
        compare,
        tolerance: node.get("tolerance").and_then(Node::ratio).unwrap_or(0.1),
        metrics: node
            .get("metrics")
            .map_or(&[][..], Node::items)
            .iter()
            .filter(|metric| !metric.is_open())
            .filter_map(Node::string)
            .collect(),
    }
}

/// `notify`.
pub(super) fn notify(root: &Node) -> Vec<Notify> {
    let channel = |item: &Node| {
        let text = |key: &str| item.get(key).and_then(Node::string);
        text("webhook")
            .map(Channel::Webhook)
            .or_else(|| text("sns").map(Channel::Sns))
            .or_else(|| text("slack").map(Channel::Slack))
    };
    let events = |item: &Node| match item.get("on") {
        Some(on) => on.items().iter().filter_map(Node::string).collect(),
        None => EVENTS.map(str::to_owned).to_vec(),
    };
    let items = root.get("notify").map_or(&[][..], Node::items).iter();
    items
        .filter_map(|item| {
            Some(Notify {
                channel: channel(item)?,
                on: events(item),
            })
        })
        .collect()
}
