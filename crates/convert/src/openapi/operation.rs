//! Operations, in the order of the document.

use super::document::Document;
use serde_json::Value;

const METHODS: [&str; 8] = [
    "get", "put", "post", "delete", "options", "head", "patch", "trace",
];

/// An operation.
#[derive(Debug)]
pub(super) struct Operation<'a> {
    /// In upper case.
    pub(super) method: String,
    /// With `{parameters}`.
    pub(super) path: String,
    pub(super) about: &'a Value,
    /// Its own and its path's.
    pub(super) parameters: Vec<&'a Value>,
    pub(super) deprecated: bool,
}

impl Operation<'_> {
    /// What it belongs to.
    pub(super) fn group(&self) -> String {
        let tag = self
            .about
            .get("tags")
            .and_then(|tags| tags.get(0))
            .and_then(Value::as_str)
            .map(str::trim)
            .filter(|tag| !tag.is_empty());
        let first = || {
            self.path
                .split('/')
                .find(|part| !part.is_empty() && !part.starts_with('{'))
                .unwrap_or("operations")
                .to_owned()
        };
        tag.map_or_else(first, |tag| tag.chars().take(80).collect())
    }

    /// The parameters of a place: `path`, `query`, `header`, `cookie`.
    pub(super) fn parameters_in<'s>(&'s self, place: &'s str) -> impl Iterator<Item = &'s Value> {
        self.parameters
            .iter()
            .copied()
            .filter(move |one| text(one, "in") == place)
    }
}

pub(super) fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or("")
}

/// All operations.
pub(super) fn operations(document: &Document) -> Vec<Operation<'_>> {
    let mut all = Vec::new();
    for (path, item) in document.get("paths").as_object().into_iter().flatten() {
        let item = document.resolve(item);
        if !path.starts_with('/') || path.len() > 8 << 10 {
            continue;
        }
        let shared = list(document, item);
        for (method, about) in item.as_object().into_iter().flatten() {
            let about = document.resolve(about);
            if !METHODS.contains(&method.as_str()) || !about.is_object() {
                continue;
            }
            let own = list(document, about);
            let overridden = |one: &&&Value| {
                own.iter().any(|other| {
                    text(one, "name") == text(other, "name") && text(one, "in") == text(other, "in")
                })
            };
            let kept = shared.iter().filter(|one| !overridden(one)).copied();
            all.push(Operation {
                method: method.to_ascii_uppercase(),
                path: path.clone(),
                about,
                parameters: kept.chain(own.iter().copied()).collect(),
                deprecated: about.get("deprecated") == Some(&Value::Bool(true)),
            });
        }
    }
    all
}

fn list<'a>(document: &'a Document, of: &'a Value) -> Vec<&'a Value> {
    let items = of
        .get("parameters")
        .and_then(Value::as_array)
        .map_or(&[][..], Vec::as_slice)
        .iter();
    items
        .map(|one| document.resolve(one))
        .filter(|one| one.is_object() && !text(one, "name").is_empty())
        .collect()
}
