//! Documents of others: all that are OpenAPI 3.0 or 3.1 are read, their schemas can be used, and their own examples fit them, but for those
//! that are known to be wrong. `cargo xtask test` provides the documents.

#![allow(clippy::unwrap_used)]

use floodgate_contract::{Contract, ContractError, Response};
use serde_json::Value;
use std::path::{Path, PathBuf};

const VARIABLE: &str = "FLOODGATE_OPENAPI_DOCUMENTS";

fn documents() -> Vec<PathBuf> {
    let Some(root) = std::env::var_os(VARIABLE) else {
        println!("{VARIABLE} is not set: no documents of others are read");
        return Vec::new();
    };
    let (mut todo, mut found) = (vec![PathBuf::from(root)], Vec::new());
    while let Some(folder) = todo.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let extension = path
                .extension()
                .and_then(|e| e.to_str())
                .unwrap_or_default();
            match path.is_dir() {
                true => todo.push(path),
                false if ["json", "yaml", "yml"].contains(&extension) => found.push(path),
                false => {}
            }
        }
    }
    found.sort();
    found
}

/// Documents of the versions that are read.
fn contracts() -> Vec<(String, Contract, Value)> {
    let mut all = Vec::new();
    for path in documents() {
        let text = std::fs::read(&path).unwrap();
        let name = path.display().to_string();
        match Contract::read(&name, &text) {
            Ok(contract) => {
                let json = serde_json::from_slice(&text).unwrap_or(Value::Null);
                all.push((name, contract, json));
            }
            Err(ContractError::Unsupported { .. }) => {}
            // Some show another part of the specification.
            Err(error) if error.to_string().contains("no operations") => {}
            Err(error) if error.to_string().contains("no paths") => {}
            Err(error) => panic!("{error}"),
        }
    }
    assert!(!all.is_empty() || std::env::var_os(VARIABLE).is_none());
    all
}

#[test]
fn schemas_of_others_can_be_used() {
    for (name, contract, _) in contracts() {
        for operation in contract.operations() {
            let ready = operation.compile();
            assert!(ready.is_ok(), "{name}: {}: {ready:?}", operation.name());
        }
    }
}

struct Example<'a> {
    status: u16,
    content_type: &'a str,
    body: String,
}

impl Response for Example<'_> {
    fn status(&self) -> u16 {
        self.status
    }
    fn header(&self, name: &str) -> Option<&[u8]> {
        let is = name.eq_ignore_ascii_case("content-type");
        is.then_some(self.content_type.as_bytes())
    }
    fn body(&self) -> &[u8] {
        self.body.as_bytes()
    }
}

/// The examples of a media type.
fn examples(media: &Value) -> Vec<Value> {
    let named = media.get("examples").and_then(Value::as_object);
    let named = named
        .into_iter()
        .flatten()
        .filter_map(|(_, e)| e.get("value").cloned());
    named.chain(media.get("example").cloned()).collect()
}

#[test]
fn examples_of_others_fit_their_schemas() {
    let (mut fit, mut wrong) = (0, Vec::new());
    for (name, contract, json) in contracts() {
        let file = Path::new(&name)
            .file_name()
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned();
        for operation in contract.operations() {
            let own = operation.name();
            let (method, path) = own.split_once(' ').unwrap();
            let responses = &json["paths"][path][method.to_lowercase()]["responses"];
            for (status, response) in responses.as_object().into_iter().flatten() {
                let Ok(status) = status.parse() else { continue };
                for (range, media) in response["content"].as_object().into_iter().flatten() {
                    if !range.contains("json") {
                        continue;
                    }
                    for example in examples(media) {
                        let example = Example {
                            status,
                            content_type: range,
                            body: example.to_string(),
                        };
                        let differences = operation.differences(&example);
                        let differences = differences
                            .iter()
                            .filter(|d| !d.place.starts_with("header"));
                        let lines: Vec<_> = differences.map(|d| format!("{file}: {d}")).collect();
                        fit += u32::from(lines.is_empty());
                        wrong.extend(lines);
                    }
                }
            }
        }
    }
    println!("{fit} examples fit\n{}", wrong.join("\n"));
    for line in &wrong {
        assert!(KNOWN.iter().any(|known| line.contains(known)), "{line}");
    }
    assert!(fit > 30 || std::env::var_os(VARIABLE).is_none(), "{fit}");
}

/// Examples that do not fit their own schema: text with JSON in it, where the schema wants that JSON.
const KNOWN: [&str; 1] = ["/requestBody-primitive-example: $: expected an"];
