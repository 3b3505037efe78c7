//! The page on definitions says of each key what its declaration says.

use crate::definition::keys::DEFINITION;
use crate::definition::shape::{Key, Shape, Table};
use std::collections::BTreeMap;

const PAGE: &str = include_str!("../../../../../docs/definition.md");

/// The rows of the first table after a heading: the names in the first cell, and the second cell.
fn rows(heading: &str) -> BTreeMap<String, String> {
    let section = PAGE.split_once(&format!("\n{heading}\n")).unwrap().1;
    let table = section.lines().skip_while(|line| !line.starts_with("|---"));
    let rows = table.skip(1).take_while(|line| line.starts_with('|'));
    let mut found = BTreeMap::new();
    for row in rows {
        let mut cells = row.trim_matches('|').split(" | ");
        let (names, second) = (cells.next().unwrap(), cells.next().unwrap());
        for name in names.split('`').skip(1).step_by(2) {
            found.insert(name.to_owned(), second.trim().to_owned());
        }
    }
    found
}

fn behind(table: &'static Table, name: &str) -> &'static Shape {
    table.key(name).unwrap().shape
}

fn object(shape: &'static Shape) -> &'static Table {
    match shape {
        Shape::Object(table) => table,
        Shape::List { of, .. } => object(of),
        _ => panic!("no map of known keys"),
    }
}

/// A default as the page writes it.
fn written(key: &Key) -> Option<String> {
    let json: serde_json::Value = serde_json::from_str(key.default?).unwrap();
    Some(
        json.as_str()
            .map_or_else(|| json.to_string(), str::to_owned),
    )
}

fn executors() -> &'static [Table] {
    match behind(&DEFINITION, "scenarios") {
        Shape::Map {
            of: Shape::Tagged { variants, .. },
            ..
        } => variants,
        _ => panic!("scenarios have executors"),
    }
}

#[test]
fn keys_and_defaults_on_the_page_are_the_declared_ones() {
    for (heading, table) in [
        ("## Top level", &DEFINITION),
        ("## Data", object(behind(&DEFINITION, "data"))),
        ("## HTTP options", object(behind(&DEFINITION, "http"))),
        ("## Run", object(behind(&DEFINITION, "run"))),
        (
            "## Tiers",
            object(behind(object(behind(&DEFINITION, "tiers")), "smoke")),
        ),
    ] {
        let rows = rows(heading);
        for name in rows.keys() {
            assert!(table.key(name).is_some(), "{heading} has no key {name}");
        }
        for key in table.all() {
            let cell = rows
                .get(key.name)
                .unwrap_or_else(|| panic!("{heading} lacks {}", key.name));
            if let Some(default) = written(key) {
                let default = format!("`{default}`");
                assert!(
                    cell.contains(&default),
                    "{}: {cell}, not {default}",
                    key.name
                );
            }
            assert!(!key.required || cell == "required", "{}: {cell}", key.name);
        }
    }
}

#[test]
fn executors_on_the_page_have_the_declared_keys_and_defaults() {
    let common = rows("## Scenarios and executors");
    for table in executors() {
        let start = format!("\n| `{}` |", table.name);
        let row = PAGE.split_once(&start).unwrap().1.lines().next().unwrap();
        for key in table.all() {
            let own = !common.contains_key(key.name);
            let name = format!("`{}`", key.name);
            assert!(!own || row.contains(&name), "{} lacks {name}", table.name);
            let said = match own {
                true => row.split_once(&name).unwrap_or_default().1,
                false => &common[key.name],
            };
            let said = said.split("`,").next().unwrap_or_default();
            if let Some(default) = written(key) {
                assert!(said.contains(&default), "{}.{name}: {said}", table.name);
            }
            assert!(
                !key.required || !own || row.contains(&format!("**{name}**")),
                "{}.{name} is required",
                table.name
            );
        }
    }
}

#[test]
fn steps_on_the_page_have_the_declared_keys() {
    let Shape::List {
        of: Shape::Leading(tables),
        ..
    } = behind(&executors()[0], "flow")
    else {
        panic!("a flow is a list of steps");
    };
    let request = tables.iter().find(|table| table.name == "request").unwrap();
    let rows = rows("### Requests");
    for name in rows.keys() {
        assert!(request.key(name).is_some(), "there is no key {name}");
    }
    for key in request
        .all()
        .filter(|key| !request.one_of.contains(&key.name))
    {
        assert!(rows.contains_key(key.name), "the page lacks {}", key.name);
    }
}
