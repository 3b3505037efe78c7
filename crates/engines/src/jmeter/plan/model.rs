//! A plan's elements, and their values.

use std::ops::Range;

/// A value of an element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::jmeter) struct Prop {
    /// `ThreadGroup.num_threads`; in lists often a hash that means nothing.
    pub(in crate::jmeter) name: String,
    /// 0 for the element's own, 1 for those within one of these, and so on.
    pub(in crate::jmeter) depth: u8,
    /// Entities resolved; empty for a collection.
    pub(in crate::jmeter) text: String,
    /// Where the text stands; for `<stringProp name="x"/>` where the tag does.
    pub(in crate::jmeter) place: Range<usize>,
    /// The whole tag if it is closed at once: it has to be opened to take a text.
    pub(in crate::jmeter) closed: bool,
}

/// A test element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::jmeter) struct Element {
    /// The tag without its package: `ThreadGroup`, `UltimateThreadGroup`, `HTTPSamplerProxy`.
    pub(in crate::jmeter) class: String,
    /// `testname`.
    pub(in crate::jmeter) name: String,
    /// Whether it and everything above it is.
    pub(in crate::jmeter) enabled: bool,
    /// The element whose tree it stands in.
    pub(in crate::jmeter) parent: Option<usize>,
    /// In the order of the file.
    pub(in crate::jmeter) props: Vec<Prop>,
    /// The value of the attribute `enabled`, or else where it can be put.
    pub(in crate::jmeter) switch: Switch,
}

/// Where an element is turned off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::jmeter) enum Switch {
    /// The attribute's value.
    Value(Range<usize>),
    /// The end of the tag's name.
    Missing(usize),
}

/// A plan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::jmeter) struct Plan {
    /// The version of JMeter that saved it, if it says so.
    pub(in crate::jmeter) jmeter: Option<String>,
    pub(in crate::jmeter) elements: Vec<Element>,
}

impl Element {
    /// A value of its own by name.
    pub(in crate::jmeter) fn prop(&self, name: &str) -> Option<&Prop> {
        self.props
            .iter()
            .find(|prop| prop.depth == 0 && prop.name == name)
    }

    /// The first value by name, however deep.
    pub(in crate::jmeter) fn any(&self, name: &str) -> Option<&Prop> {
        self.props.iter().find(|prop| prop.name == name)
    }

    /// The text of a value of its own; empty without it.
    pub(in crate::jmeter) fn text(&self, name: &str) -> &str {
        self.prop(name).map_or("", |prop| prop.text.trim())
    }

    /// The rows of a table: the values of each collection within the collection of that name.
    pub(in crate::jmeter) fn rows(&self, name: &str) -> Vec<Vec<&Prop>> {
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
    pub(in crate::jmeter) fn enabled(&self) -> impl Iterator<Item = (usize, &Element)> {
        self.elements
            .iter()
            .enumerate()
            .filter(|(_, element)| element.enabled)
    }

    /// The elements above one, the nearest first.
    pub(in crate::jmeter) fn above(&self, number: usize) -> impl Iterator<Item = usize> {
        std::iter::successors(self.elements[number].parent, |&above| {
            self.elements[above].parent
        })
    }
}
