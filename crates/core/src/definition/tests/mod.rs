//! Tests of whole definitions.

mod control;
mod docs;
mod examples;
mod faults;
mod given;
mod hostile;
mod meaning;
mod measured;
mod once;
mod open;
mod over_time;
mod shared_load;
mod tiers;

use super::*;
use std::collections::BTreeMap;

/// Surroundings without a machine.
#[derive(Default)]
pub(super) struct Fake {
    env: BTreeMap<&'static str, &'static str>,
    secrets: BTreeMap<&'static str, &'static str>,
    missing: Vec<&'static str>,
}

impl Resolver for Fake {
    fn env(&self, name: &str) -> Option<String> {
        self.env.get(name).map(|text| (*text).to_owned())
    }
    fn secret(&self, reference: &str) -> Result<String, String> {
        self.secrets
            .get(reference)
            .map(|text| (*text).to_owned())
            .ok_or_else(|| "no such secret".to_owned())
    }
    fn file_exists(&self, relative: &str) -> bool {
        !self.missing.contains(&relative)
    }
    fn leaves_open(&self, reference: &Reference) -> bool {
        match reference {
            Reference::Env(name) => name.starts_with("OPEN"),
            Reference::Secret(name) => name.starts_with("open"),
        }
    }
}

fn fake() -> Fake {
    Fake {
        env: [
            ("RATE", "70"),
            ("HOST", "shop.example"),
            ("EMPTY", ""),
            ("TRICKY", "${vu} {{ ]"),
        ]
        .into(),
        secrets: [("token", "s3cr3t"), ("odd", "not-a-number-s3cr3t")].into(),
        missing: vec!["gone.csv"],
    }
}

fn read(text: &str) -> Result<Parsed, Faults> {
    read_with(text, &[])
}

fn read_with(text: &str, overrides: &[(&str, &str)]) -> Result<Parsed, Faults> {
    let overrides = Overrides(
        overrides
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect(),
    );
    parse(
        &Source {
            name: "d.yaml",
            text: text.as_bytes(),
        },
        &overrides,
        &fake(),
    )
}

#[track_caller]
pub(super) fn good(text: &str) -> Parsed {
    read(text).unwrap_or_else(|faults| panic!("{faults:#}\n{text}"))
}

/// A definition with one scenario whose flow is given, each line as it stands in the file.
fn with_flow(flow: &str) -> String {
    let flow: String = flow.lines().map(|line| format!("      {line}\n")).collect();
    format!(
        "{HEAD}scenarios:\n  s:\n    executor: constant-vus\n    duration: 1s\n    flow:\n{flow}"
    )
}

/// A definition with one scenario whose executor's keys are given.
fn with_executor(keys: &str) -> String {
    format!("{HEAD}scenarios:\n  s: {{{keys}, flow: [{{get: /}}]}}\n")
}

/// A sound definition with further keys at the top level.
pub(super) fn with_top(keys: &str) -> String {
    format!(
        "{}{keys}\n",
        with_executor("executor: constant-vus, duration: 1s")
    )
}

pub(super) const HEAD: &str = "version: 1\ntest: t\ntarget: http://127.0.0.1:8080\n";

/// The messages, a line each, without the file's name.
#[track_caller]
pub(super) fn faults(text: &str) -> String {
    read(text)
        .err()
        .unwrap_or_else(|| panic!("no fault in\n{text}"))
        .to_string()
        .replace("d.yaml:", "")
}

/// The executor of a scenario with these keys.
fn executor(keys: &str) -> Executor {
    good(&with_executor(keys))
        .definition
        .scenarios
        .remove(0)
        .executor
}
