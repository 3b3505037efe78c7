//! The crates that cargo links into a program of this workspace.

use crate::repo;
use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// A crate, as cargo resolved it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Crate {
    pub(crate) name: String,
    pub(crate) version: String,
    /// An SPDX expression; `None` where the crate states none.
    pub(crate) licence: Option<String>,
    /// Whether it is of this workspace.
    pub(crate) own: bool,
    /// Identifiers of the crates that it is linked with.
    pub(crate) dependencies: BTreeSet<String>,
}

/// A program and all that is linked into it, by cargo's identifiers.
pub(crate) struct Linked {
    pub(crate) program: String,
    pub(crate) crates: BTreeMap<String, Crate>,
}

/// Resolves a program for a target.
///
/// # Errors
/// If cargo fails, or the workspace has no such program.
pub(crate) fn linked(program: &str, target: &str) -> Result<Linked> {
    let arguments = [
        "metadata",
        "--format-version=1",
        "--locked",
        "--filter-platform",
        target,
    ];
    let output = repo::cargo(&arguments)
        .output()
        .context("run cargo metadata")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "cargo metadata: {}", said.trim());
    let metadata: Value = serde_json::from_slice(&output.stdout)?;
    let packages = by_id(&metadata["packages"]);
    let nodes = by_id(&metadata["resolve"]["nodes"]);
    let root = packages
        .iter()
        .find(|(_, package)| package["name"] == program)
        .map(|(id, _)| id.clone())
        .with_context(|| format!("cargo metadata has no {program}"))?;
    let mut open = vec![root.clone()];
    let mut crates = BTreeMap::new();
    while let Some(id) = open.pop() {
        if crates.contains_key(&id) {
            continue;
        }
        let (package, node) = (&packages[id.as_str()], &nodes[id.as_str()]);
        let dependencies: BTreeSet<String> = items(&node["deps"])
            // Of a kind: null is linked, the others build or test.
            .filter(|edge| items(&edge["dep_kinds"]).any(|kind| kind["kind"].is_null()))
            .map(|edge| text(&edge["pkg"]))
            .collect();
        open.extend(dependencies.iter().cloned());
        let found = Crate {
            name: text(&package["name"]),
            version: text(&package["version"]),
            licence: package["license"].as_str().map(|l| l.replace('/', " OR ")),
            own: package["source"].is_null(),
            dependencies,
        };
        crates.insert(id, found);
    }
    Ok(Linked {
        program: root,
        crates,
    })
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn by_id(list: &Value) -> BTreeMap<String, &Value> {
    items(list).map(|item| (text(&item["id"]), item)).collect()
}
