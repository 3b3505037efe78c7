//! Whether a value fits its shape, and what is said if not.

use super::scalar::{mismatch, must_be_known, name};
use super::{EXTENSION, Key, Shape, Table};
use crate::definition::fault::{Issue, Sink};
use crate::definition::tree::{Content, Core, Entry, Kind, Node, Plain, plain};
use crate::syntax::nearest;

impl Shape {
    /// Reports everything about `node` that does not fit.
    pub(in crate::definition) fn check(&self, node: &Node, sink: &mut Sink) {
        match (self, &node.kind) {
            (Self::Any, _) => any(node, sink),
            (
                Self::Text(_)
                | Self::Integer { .. }
                | Self::Number { .. }
                | Self::Boolean
                | Self::Choice(_)
                | Self::Grammar(_),
                Kind::Scalar(scalar),
            ) => {
                super::scalar::check(self, node, scalar, sink);
            }
            (Self::List { of, min }, Kind::List(items)) => {
                if items.len() < *min {
                    sink.push(node.issue("the list is empty").allowed(self.said()));
                }
                items.iter().for_each(|item| of.check(item, sink));
            }
            (Self::Map { keys, of, min }, Kind::Map(entries)) => {
                if entries.len() < *min {
                    sink.push(node.issue("the map is empty").allowed(self.said()));
                }
                for entry in entries {
                    if let Err(error) = name(*keys, &entry.key) {
                        sink.push(Issue::syntax(entry.key_mark, &entry.value.path, error));
                    }
                    of.check(&entry.value, sink);
                }
            }
            (Self::Object(table), Kind::Map(_)) => table.check(node, &[], sink),
            (Self::Tagged { tag, variants }, Kind::Map(_)) => tagged(node, tag, variants, sink),
            (Self::Leading(tables), Kind::Map(_)) => leading(node, tables, sink),
            (Self::Either(shapes), kind) => match shapes.iter().find(|shape| shape.takes(kind)) {
                Some(shape) => shape.check(node, sink),
                None => mismatch(node, self, sink),
            },
            _ => mismatch(node, self, sink),
        }
    }

    fn takes(&self, kind: &Kind) -> bool {
        match self {
            Self::Any => true,
            Self::List { .. } => matches!(kind, Kind::List(_)),
            Self::Map { .. } | Self::Object(_) | Self::Tagged { .. } | Self::Leading(_) => {
                matches!(kind, Kind::Map(_))
            }
            Self::Either(shapes) => shapes.iter().any(|shape| shape.takes(kind)),
            _ => matches!(kind, Kind::Scalar(_)),
        }
    }
}

impl Table {
    fn check(&self, node: &Node, siblings: &[&Self], sink: &mut Sink) {
        for entry in node.entries() {
            match self.key(&entry.key) {
                Some(key) => key.shape.check(&entry.value, sink),
                None if self.name == "definition" && entry.key.starts_with(EXTENSION) => {}
                None if self.others.is_some_and(|(names, _)| names.take(&entry.key)) => {
                    self.others
                        .iter()
                        .for_each(|(_, shape)| shape.check(&entry.value, sink));
                }
                None => self.unknown(entry, siblings, sink),
            }
        }
        self.missing(node, sink);
        self.exclusive(node, sink);
    }

    /// Reports required keys that are not there, but for one that is misspelt.
    fn missing(&self, node: &Node, sink: &mut Sink) {
        let absent = |key: &&Key| key.required && !self.means(node, key.name);
        for key in self.all().filter(absent) {
            let issue = node.issue(format!("the key \"{}\" is missing", key.name));
            sink.push(issue.allowed(key.shape.said()));
        }
    }

    /// Whether the key is there, or most likely meant by one that the table does not have and that is reported as such.
    pub(in crate::definition) fn means(&self, node: &Node, name: &str) -> bool {
        let near = |entry: &Entry| {
            self.key(&entry.key).is_none() && nearest(&entry.key, self.names()) == Some(name)
        };
        node.get(name).is_some() || node.entries().iter().any(near)
    }

    /// Reports keys that exclude each other, and where none of them is.
    fn exclusive(&self, node: &Node, sink: &mut Sink) {
        for (names, least) in [(self.one_of, "exactly"), (self.at_most_one, "at most")] {
            let present = names.iter().filter(|name| node.get(name).is_some());
            let present: Vec<_> = present.map(|name| format!("\"{name}\"")).collect();
            let problem = match present.len() {
                0 if least == "exactly" && !names.is_empty() => "a key is missing".to_owned(),
                0 | 1 => continue,
                _ => format!("{} exclude each other", present.join(" and ")),
            };
            let allowed = format!("{least} one of {}", names.join(", "));
            sink.push(node.issue(problem).allowed(allowed));
        }
    }

    /// Reports a key that the table does not have; `siblings` are tables that may have it.
    fn unknown(&self, entry: &Entry, siblings: &[&Self], sink: &mut Sink) {
        let allowed = self.names().collect::<Vec<_>>().join(", ");
        if let Some((_, remedy)) = self.foreign.iter().find(|(name, _)| *name == entry.key) {
            sink.push(unknown(entry).hint(*remedy).allowed(allowed));
            return;
        }
        let owners: Vec<_> = siblings
            .iter()
            .filter(|table| table.key(&entry.key).is_some())
            .map(|table| table.name)
            .collect();
        if owners.is_empty() {
            let issue = unknown(entry).allowed(allowed);
            sink.push(issue.nearest(&entry.key, self.names()));
        } else {
            let issue = entry.key_issue(format!("{} does not take this key", self.name));
            let remedy = format!("it belongs to {}", owners.join(", "));
            sink.push(issue.hint(remedy).allowed(allowed));
        }
    }
}

fn unknown(entry: &Entry) -> Issue {
    entry.key_issue("unknown key")
}

/// A map whose key `tag` names its table.
fn tagged(node: &Node, tag: &str, tables: &'static [Table], sink: &mut Sink) {
    let words = || tables.iter().map(|table| table.name);
    let allowed = || words().collect::<Vec<_>>().join(", ");
    let Some(value) = node.get(tag) else {
        let mut entries = node.entries().iter();
        let misspelt = entries.find(|entry| nearest(&entry.key, [tag]).is_some());
        match misspelt {
            Some(entry) => tables[0].unknown(entry, &[], sink),
            None => sink.push(
                node.issue(format!("the key \"{tag}\" is missing"))
                    .allowed(allowed()),
            ),
        }
        // Which keys belong to it is not known then; those that none has are wrong in any case.
        let others = node.entries().iter();
        let others = others.filter(|entry| misspelt.is_none_or(|own| own.key != entry.key));
        others.for_each(|entry| of_no_table(entry, tables, sink));
        return;
    };
    if value.is_open() {
        sink.push(must_be_known(value));
        return;
    }
    let word = value.text().unwrap_or_default();
    if let Some(table) = tables.iter().find(|table| table.name == word) {
        let siblings: Vec<_> = tables.iter().collect();
        table.check(node, &siblings, sink);
        return;
    }
    sink.push(
        value
            .issue(format!("{} is not known", value.shown()))
            .allowed(allowed())
            .nearest(&word, words()),
    );
    for entry in node.entries().iter().filter(|entry| entry.key != tag) {
        match tables.iter().find_map(|table| table.key(&entry.key)) {
            Some(key) => key.shape.check(&entry.value, sink),
            None => of_no_table(entry, tables, sink),
        }
    }
}

/// Reports a key that none of the tables has.
fn of_no_table(entry: &Entry, tables: &'static [Table], sink: &mut Sink) {
    if tables.iter().all(|table| table.key(&entry.key).is_none()) {
        let names = tables.iter().flat_map(Table::names);
        sink.push(unknown(entry).nearest(&entry.key, names));
    }
}

/// A map that is the one of the tables whose leading key it has.
fn leading(node: &Node, tables: &[&'static Table], sink: &mut Sink) {
    let keys = || tables.iter().flat_map(|table| table.one_of.iter().copied());
    let found = tables
        .iter()
        .find(|table| table.one_of.iter().any(|key| node.get(key).is_some()));
    if let Some(table) = found {
        table.check(node, tables, sink);
        return;
    }
    let allowed = keys().collect::<Vec<_>>().join(", ");
    let foreign = node.entries().iter().find_map(|entry| {
        let mut known = tables.iter().flat_map(|table| table.foreign);
        Some((entry, known.find(|(name, _)| *name == entry.key)?.1))
    });
    let mut entries = node.entries().iter();
    let misspelt = entries.find_map(|entry| Some((entry, nearest(&entry.key, keys())?)));
    sink.push(match (foreign, misspelt) {
        (Some((entry, remedy)), _) => unknown(entry).hint(remedy).allowed(allowed),
        (None, Some((entry, near))) => unknown(entry).hint(format!("\"{near}\"")).allowed(allowed),
        (None, None) => node
            .issue("none of its keys says what it is")
            .allowed(format!("one of {allowed}")),
    });
}

/// What JSON cannot say.
fn any(node: &Node, sink: &mut Sink) {
    match &node.kind {
        Kind::Scalar(scalar) if !matches!(scalar.content, Content::Broken) => {
            let core = scalar.core();
            let unusable = core == Core::Unusable || core.is_number();
            if unusable && plain(scalar) == Plain::Text {
                sink.push(
                    node.issue(format!("JSON has no number {}", node.shown()))
                        .hint("put it into quotes to send it as text, or write it without leading zeros"),
                );
            }
        }
        Kind::Scalar(_) => {}
        Kind::List(items) => items.iter().for_each(|item| any(item, sink)),
        Kind::Map(entries) => entries.iter().for_each(|entry| any(&entry.value, sink)),
    }
}
