//! Values of the tree in the place of others.

use crate::definition::tree::{Content, Kind, Node, Scalar};
use std::time::Duration;

/// What a tier does to a definition.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scale {
    /// By what times are multiplied.
    pub(super) time: f64,
    /// By what rates and VUs are.
    pub(super) load: f64,
    /// How long the whole schedule is.
    pub(super) duration: Duration,
}

/// Each value of a map, or item of a list.
pub(super) fn each_value(node: &mut Node, mut f: impl FnMut(&mut Node)) {
    match &mut node.kind {
        Kind::Map(entries) => entries.iter_mut().for_each(|entry| f(&mut entry.value)),
        Kind::List(items) => items.iter_mut().for_each(f),
        Kind::Scalar(_) => {}
    }
}

pub(super) fn entry_mut<'a>(node: &'a mut Node, key: &str) -> Option<&'a mut Node> {
    let Kind::Map(entries) = &mut node.kind else {
        return None;
    };
    let entry = entries.iter_mut().find(|entry| entry.key == key);
    entry.map(|entry| &mut entry.value)
}

/// Puts another scalar in the place of one that is known, unless there is none.
pub(super) fn change(node: &mut Node, key: &str, changed: impl FnOnce(&str) -> Option<String>) {
    if let Some(node) = entry_mut(node, key) {
        change_scalar(node, changed);
    }
}

pub(super) fn change_scalar(node: &mut Node, changed: impl FnOnce(&str) -> Option<String>) {
    let raw = node.known().and_then(|text| changed(&text));
    if let Some(raw) = raw {
        node.kind = scalar(raw);
    }
}

/// A known scalar.
pub(super) fn scalar(raw: String) -> Kind {
    Kind::Scalar(Scalar {
        raw,
        plain: true,
        content: Content::AsWritten,
    })
}
