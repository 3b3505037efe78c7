//! Tiers: one definition, run short and light, as it is meant, or for long.
//!
//! A tier changes the tree in two steps. What it sets is set when overrides are applied, before those of the caller. Times and loads are
//! scaled once references are resolved; what is stored is the definition before that, with the tier's name in it, so that whoever
//! reads it again scales it in the same way.

mod edit;
mod times;

use super::fault::{Issue, Sink};
use super::field::Value as _;
use super::keys::{root, tier as keys};
use super::model::Tier;
use super::overrides::{self, Overrides};
use super::place::Path;
use super::tree::{Entry, Kind, Node};
use crate::rate::Rate;
use edit::{Scale, change, each_value, entry_mut};
use floodgate_records::engine::Engine;

/// Sets what the chosen tier sets. What it sets stands in the definition from then on, and no longer in the tier.
pub(super) fn set(root: &mut Node, overrides: &Overrides, sink: &mut Sink) {
    let given = overrides.0.iter().rev();
    let given = given.clone().find(|(name, _)| name == root::TIER.key.name);
    let written = || root::TIER.place(root).and_then(Node::string);
    let Some(name) = given.map(|(_, name)| name.clone()).or_else(written) else {
        return;
    };
    let entries = take(root, &name);
    for Entry {
        key,
        key_mark,
        value,
    } in entries
    {
        if let Err(problem) = overrides::put(root, &key, value) {
            sink.push(Issue::new(
                key_mark,
                &Path::default(),
                format!("{key} cannot be set: {problem}"),
            ));
        }
    }
}

/// The entries of `tiers.NAME.set`, taken out.
fn take(root: &mut Node, name: &str) -> Vec<Entry> {
    let path = [root::TIERS.key.name, name, keys::SET.key.name];
    let mut node = root;
    for (depth, key) in path.iter().enumerate() {
        let Kind::Map(entries) = &mut node.kind else {
            return Vec::new();
        };
        let Some(index) = entries.iter().position(|entry| entry.key == *key) else {
            return Vec::new();
        };
        if depth + 1 == path.len() {
            return match entries[index].value.kind {
                // What is no map is a fault, and told as one.
                Kind::Map(_) => match entries.remove(index).value.kind {
                    Kind::Map(set) => set,
                    _ => Vec::new(),
                },
                _ => Vec::new(),
            };
        }
        node = &mut entries[index].value;
    }
    Vec::new()
}

/// Scales times and loads by the tier that is chosen, if one is. What cannot be read stays as it is, and is a fault of its own.
pub(super) fn scale(root: &mut Node) {
    let runs_flows = match root::ENGINE.place(root) {
        Some(node) => Engine::read(node) == Some(Engine::Http),
        None => true,
    };
    let chosen = root::TIER.of(root).filter(|_| runs_flows);
    let Some(scale) = chosen.and_then(|tier| scale_of(root, tier)) else {
        return;
    };
    let Kind::Map(entries) = &mut root.kind else {
        return;
    };
    for entry in entries {
        match entry.key.as_str() {
            "scenarios" => each_value(&mut entry.value, |scenario| {
                times::scenario(scenario, &scale);
                load(scenario, &scale);
            }),
            "warmup" => times::whole_seconds(&mut entry.value, &scale),
            "thresholds" => each_value(&mut entry.value, |value| {
                each_value(value, |item| times::part(item, &scale));
            }),
            "slo" => {
                times::part(&mut entry.value, &scale);
                each_value(&mut entry.value, |item| times::part(item, &scale));
            }
            "run" => times::bound(&mut entry.value, &scale),
            _ => {}
        }
    }
}

/// How a tier scales; `None` if the definition has no length that is known.
fn scale_of(root: &Node, tier: Tier) -> Option<Scale> {
    let own = root::TIERS.place(root);
    let own = own.and_then(|tiers| tiers.get(tier.as_str()));
    let duration = own.and_then(|own| keys::DURATION.of(own));
    let duration = duration.unwrap_or_else(|| tier.duration());
    let load = own.and_then(|own| keys::LOAD.of(own));
    let length = times::length(root)?;
    Some(Scale {
        time: duration.as_secs_f64() / length.as_secs_f64(),
        load: load.map_or_else(|| tier.load(), |load| load.0),
        duration,
    })
}

/// Rates, VUs and iterations of a scenario.
fn load(scenario: &mut Node, scale: &Scale) {
    let executor = scenario.get("executor").and_then(Node::string);
    let executor = executor.unwrap_or_default();
    let is_open = executor.ends_with("arrival-rate");
    let more = |factor: f64| move |n: u64| if n == 0 { 0 } else { rounded(n, factor).max(1) };
    for key in ["rate", "startRate"] {
        change(scenario, key, |text| rate(text, scale.load));
    }
    for key in ["vus", "startVUs"] {
        change(scenario, key, |text| number(text, more(scale.load)));
    }
    // Pools bound the load and are none: a lighter one may need as many at times.
    for key in ["preAllocatedVUs", "maxVUs"] {
        change(scenario, key, |text| {
            number(text, more(scale.load.max(1.0)))
        });
    }
    let vus = scenario.get("vus").and_then(u64::read).unwrap_or(1);
    match executor.as_str() {
        "shared-iterations" => change(scenario, "iterations", |text| {
            number(text, |n| rounded(n, scale.load * scale.time).max(vus))
        }),
        "per-vu-iterations" => change(scenario, "iterations", |text| {
            number(text, more(scale.time))
        }),
        _ => {}
    }
    let stages = entry_mut(scenario, "stages").map(|stages| &mut stages.kind);
    if let Some(Kind::List(stages)) = stages {
        for stage in stages {
            change(stage, "target", |text| match is_open {
                true => rate(text, scale.load),
                false => number(text, more(scale.load)),
            });
        }
    }
}

#[allow(clippy::cast_precision_loss, clippy::cast_sign_loss)]
fn rounded(n: u64, factor: f64) -> u64 {
    (n as f64 * factor).round() as u64
}

fn number(text: &str, scaled: impl Fn(u64) -> u64) -> Option<String> {
    Some(scaled(text.parse().ok()?).to_string())
}

fn rate(text: &str, factor: f64) -> Option<String> {
    Rate::parse(text).ok()?.times(factor)
}
