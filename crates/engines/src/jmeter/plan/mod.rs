//! A test plan (JMX) as a list of its elements, each value with its place in the file, so that a copy can be changed value by value
//! and keeps every other byte.

mod expression;
mod group;
mod parse;
mod reference;
mod scope;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

pub(super) use expression::{Values, arguments, parameters};
pub(super) use group::{Group, Kind};
pub(super) use reference::resolved;
pub(super) use scope::{checks, is_assertion, is_sampler, is_timer};

use std::ops::Range;

/// A value of an element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Prop {
    /// `ThreadGroup.num_threads`; in lists often a hash that means nothing.
    pub(super) name: String,
    /// 0 for the element's own, 1 for those within one of these, and so on.
    pub(super) depth: u8,
    /// Entities resolved; empty for a collection.
    pub(super) text: String,
    /// Where the text stands; for `<stringProp name="x"/>` where the tag does.
    pub(super) place: Range<usize>,
    /// The whole tag if it is closed at once: it has to be opened to take a text.
    pub(super) closed: bool,
}

/// A test element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Element {
    /// The tag without its package: `ThreadGroup`, `UltimateThreadGroup`, `HTTPSamplerProxy`.
    pub(super) class: String,
    /// `testname`.
    pub(super) name: String,
    /// Whether it and everything above it is.
    pub(super) enabled: bool,
    /// The element whose tree it stands in.
    pub(super) parent: Option<usize>,
    /// In the order of the file.
    pub(super) props: Vec<Prop>,
    /// The value of the attribute `enabled`, or else where it can be put.
    pub(super) switch: Switch,
}

/// Where an element is turned off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Switch {
    /// The attribute's value.
    Value(Range<usize>),
    /// The end of the tag's name.
    Missing(usize),
}

/// A plan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Plan {
    /// The version of JMeter that saved it, if it says so.
    pub(super) jmeter: Option<String>,
    pub(super) elements: Vec<Element>,
}

impl Element {
    /// A value of its own by name.
    pub(super) fn prop(&self, name: &str) -> Option<&Prop> {
        self.props
            .iter()
            .find(|prop| prop.depth == 0 && prop.name == name)
    }

    /// The first value by name, however deep.
    pub(super) fn any(&self, name: &str) -> Option<&Prop> {
        self.props.iter().find(|prop| prop.name == name)
    }

    /// The text of a value of its own; empty without it.
    pub(super) fn text(&self, name: &str) -> &str {
        self.prop(name).map_or("", |prop| prop.text.trim())
    }

    /// The rows of a table: the values of each collection within the collection of that name.
    pub(super) fn rows(&self, name: &str) -> Vec<Vec<&Prop>> {
        let mut rows: Vec<Vec<&Prop>> = Vec::new();
        let table = self
            .props
            .iter()
            .position(|prop| prop.depth == 0 && prop.name == name);
        let within = table.map_or(&[][..], |at| &self.props[at + 1..]);
        for prop in within.iter().take_while(|prop| prop.depth > 0) {
            match (prop.depth, rows.last_mut()) {
                (1, _) => rows.push(Vec::new()),
                (2, Some(row)) => row.push(prop),
                _ => {}
            }
        }
        rows
    }
}

impl Plan {
    /// Elements that will run, with their numbers.
    pub(super) fn enabled(&self) -> impl Iterator<Item = (usize, &Element)> {
        self.elements
            .iter()
            .enumerate()
            .filter(|(_, element)| element.enabled)
    }

    /// The elements above one, the nearest first.
    pub(super) fn above(&self, number: usize) -> impl Iterator<Item = usize> {
        std::iter::successors(self.elements[number].parent, |&above| {
            self.elements[above].parent
        })
    }
}

/// Changes of a plan's bytes.
#[derive(Debug, Default)]
pub(super) struct Edits(Vec<(Range<usize>, String)>);

impl Edits {
    /// Gives a value another text.
    pub(super) fn set(&mut self, prop: &Prop, text: &str, bytes: &[u8]) {
        if prop.text == text {
            return;
        }
        let text = escape(text);
        if !prop.closed {
            self.0.push((prop.place.clone(), text));
            return;
        }
        // `<stringProp name="x"/>` becomes `<stringProp name="x">…</stringProp>`.
        let tag = String::from_utf8_lossy(&bytes[prop.place.clone()]).into_owned();
        let open = tag.trim_end_matches('>').trim_end_matches('/').trim_end();
        let name = tag[1..]
            .split([' ', '\t', '\r', '\n', '/'])
            .next()
            .unwrap_or("stringProp");
        self.0
            .push((prop.place.clone(), format!("{open}>{text}</{name}>")));
    }

    /// Turns an element off, and with it everything in its tree.
    pub(super) fn turn_off(&mut self, element: &Element) {
        let edit = match &element.switch {
            Switch::Value(place) => (place.clone(), "false".to_owned()),
            Switch::Missing(at) => (*at..*at, " enabled=\"false\"".to_owned()),
        };
        self.0.push(edit);
    }

    /// The bytes with all changes made.
    pub(super) fn apply(mut self, bytes: &[u8]) -> Vec<u8> {
        self.0.sort_by_key(|(place, _)| (place.start, place.end));
        let mut out = Vec::with_capacity(bytes.len() + 256);
        let mut at = 0;
        for (place, text) in self.0 {
            // Two changes of one place are the same change.
            if place.start < at {
                continue;
            }
            out.extend_from_slice(&bytes[at..place.start]);
            out.extend_from_slice(text.as_bytes());
            at = place.end;
        }
        out.extend_from_slice(&bytes[at..]);
        out
    }
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
    }
    out
}
