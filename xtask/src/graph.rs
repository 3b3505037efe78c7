//! Holds the graph of crates in `docs/architecture.md` against what cargo says.

use crate::repo;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

type Graph = BTreeMap<String, BTreeSet<String>>;

/// The arrows of the first mermaid block: `a[label] --> b`, `a -- words --> b`; a node alone has none.
fn drawn(page: &str) -> Graph {
    let block = page.split("```mermaid").nth(1).unwrap();
    let block = block.split("```").next().unwrap();
    let name = |text: &str| -> String {
        let letters = text.trim().chars();
        letters.take_while(char::is_ascii_alphanumeric).collect()
    };
    let mut graph = Graph::new();
    for line in block.lines().skip_while(|line| !line.contains('[')) {
        let (from, to) = line.split_once("-->").unwrap_or((line, ""));
        let arrows = graph.entry(name(from)).or_default();
        arrows.extend(Some(name(to)).filter(|to| !to.is_empty()));
    }
    graph.remove("");
    graph
}

/// What the crates of the product and its tests need, chores and tests' own needs left out.
fn needed() -> Graph {
    let arguments = ["metadata", "--format-version=1", "--no-deps", "--offline"];
    let output = repo::cargo(&arguments).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let ours = |name: &Value| Some(name.as_str()?.strip_prefix("floodgate-")?.to_owned());
    let packages = metadata["packages"].as_array().unwrap().iter();
    let crates = packages.filter_map(|package| {
        let needs = package["dependencies"].as_array().unwrap().iter();
        let needs = needs.filter(|need| need["kind"].is_null());
        let needs = needs.filter_map(|need| ours(&need["name"])).collect();
        Some((ours(&package["name"])?, needs))
    });
    crates.collect()
}

/// Everything that a crate reaches by two arrows or more.
fn beyond(graph: &Graph, from: &str) -> BTreeSet<String> {
    let mut reached = BTreeSet::new();
    let mut next: Vec<&String> = graph[from].iter().flat_map(|to| &graph[to]).collect();
    while let Some(name) = next.pop() {
        if reached.insert(name.clone()) {
            next.extend(&graph[name]);
        }
    }
    reached
}

#[test]
fn the_drawn_graph_is_the_one_that_cargo_sees() {
    let page = std::fs::read_to_string(repo::root().join("docs/architecture.md")).unwrap();
    let (drawn, needed) = (drawn(&page), needed());
    let names = |graph: &Graph| graph.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&drawn), names(&needed));
    for (name, needs) in &needed {
        let wrong: Vec<_> = drawn[name].difference(needs).collect();
        assert!(wrong.is_empty(), "{name} does not need {wrong:?}");
        let beyond = beyond(&drawn, name);
        let missing = needs.difference(&drawn[name]);
        let missing: Vec<_> = missing.filter(|need| !beyond.contains(*need)).collect();
        assert!(missing.is_empty(), "no arrow from {name} to {missing:?}");
        let rows = ["crates/", ""].map(|folder| format!("| `{folder}{name}` |"));
        assert!(
            rows.iter().any(|row| page.contains(row)),
            "no row of {name}"
        );
    }
}
