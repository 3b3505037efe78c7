//! A key as the decoder sees it: what its value becomes.

use super::fault::Sink;
use super::model::{ConnectionMode, DataMode, HttpVersion, MethodName, OnMissing, TlsResumption};
use super::shape::{Key, Shape};
use super::tree::{Core, Entry, Node};
use super::yaml;
use crate::rate::Rate;
use crate::units::{parse_bytes, parse_duration, parse_factor, parse_ratio};
use floodgate_records::comparison::IfUndecided;
use floodgate_records::engine::Engine;
use floodgate_records::metric::MetricKind;
use floodgate_records::notify::Event;
use floodgate_records::word::Words as _;
use std::marker::PhantomData;
use std::time::Duration;

/// A type that values of keys become.
pub(super) trait Value: Sized {
    /// What stands for a declared default that cannot be read; a test holds that there is none.
    const NOTHING: Self;
    /// A value whose shape has been checked; `None` is what does not fit, and what is open.
    fn read(node: &Node) -> Option<Self>;
}

/// A type whose values may be required and open.
pub(super) trait MayBeOpen: Value {
    /// What stands for an open value: the least that makes sense.
    const OPEN: Self;
}

/// A key that is declared: its name, what stands behind it, its default, and the type that its value becomes.
pub(super) struct Field<T> {
    pub(super) key: Key,
    becomes: PhantomData<fn() -> T>,
}

/// A key with parts of its own.
pub(super) enum Parts {}

/// Declares keys, each once: `NAME: what it becomes = "its name", what stands behind it[, required | default "JSON"]; "Help.";`,
/// where what stands behind it is the name of a static, or a shape in braces. The group has all of them, in order.
macro_rules! keys {
    ($group:ident: $($key:ident: $of:ty = $word:literal, $shape:tt $(, $how:ident $($json:literal)?)?; $help:literal;)*) => {
        $(pub(in crate::definition) const $key: Field<$of> =
            Field::new($word, $crate::definition::field::behind!($shape), $help)$(.$how($($json)?))?;)*
        const $group: &[Key] = &[$($key.key),*];
    };
}
pub(super) use keys;

macro_rules! behind {
    ({ $shape:expr }) => {{
        static SHAPE: Shape = $shape;
        &SHAPE
    }};
    ($shape:ident) => {
        &$shape
    };
}
pub(super) use behind;

/// Lets values of keys become one of a type's words.
macro_rules! one_of {
    ($($name:ty),* $(,)?) => {$(
        impl $crate::definition::field::Value for $name {
            const NOTHING: Self = <Self as ::floodgate_records::word::Words>::ALL[0];
            fn read(node: &$crate::definition::tree::Node) -> Option<Self> {
                <Self as ::floodgate_records::word::Words>::parse(node.known()?.as_ref())
            }
        }
    )*};
}
pub(super) use one_of;

impl<T> Field<T> {
    pub(super) const fn new(
        name: &'static str,
        shape: &'static Shape,
        about: &'static str,
    ) -> Self {
        Self {
            key: Key::new(name, shape, about),
            becomes: PhantomData,
        }
    }

    pub(super) const fn required(self) -> Self {
        Self {
            key: self.key.required(),
            ..self
        }
    }

    pub(super) const fn default(self, json: &'static str) -> Self {
        Self {
            key: self.key.default(json),
            ..self
        }
    }

    /// Where its value stands.
    pub(super) fn place<'a>(&self, map: &'a Node) -> Option<&'a Node> {
        map.get(self.key.name)
    }

    pub(super) fn is_given(&self, map: &Node) -> bool {
        self.place(map).is_some()
    }

    pub(super) fn is_open(&self, map: &Node) -> bool {
        self.place(map).is_some_and(Node::is_open)
    }

    /// The items of its list; none if there is no list.
    pub(super) fn items<'a>(&self, map: &'a Node) -> &'a [Node] {
        self.place(map).map_or(&[], Node::items)
    }

    /// The entries of its map; none if there is no map.
    pub(super) fn entries<'a>(&self, map: &'a Node) -> &'a [Entry] {
        self.place(map).map_or(&[], Node::entries)
    }
}

impl<T: Value> Field<T> {
    /// What is given and known.
    pub(super) fn of(&self, map: &Node) -> Option<T> {
        self.place(map).and_then(T::read)
    }

    /// What is given and known, or else the default.
    pub(super) fn or_default(&self, map: &Node) -> T {
        self.of(map).unwrap_or_else(|| self.unless_given())
    }

    /// The default.
    pub(super) fn unless_given(&self) -> T {
        self.declared().unwrap_or(T::NOTHING)
    }

    /// The default as it is declared.
    fn declared(&self) -> Option<T> {
        let json = self.key.default?;
        let node = yaml::read(json, 0, &mut Sink::new("", json)).ok()?;
        T::read(&node)
    }
}

impl<T: MayBeOpen> Field<T> {
    /// A required value; an open one is the least that makes sense.
    pub(super) fn needed(&self, map: &Node) -> Option<T> {
        let open = || self.is_open(map).then_some(T::OPEN);
        self.of(map).or_else(open)
    }
}

impl Value for String {
    const NOTHING: Self = Self::new();
    /// Text with references resolved, open ones as they are written.
    fn read(node: &Node) -> Option<Self> {
        node.string()
    }
}

impl Value for Vec<String> {
    const NOTHING: Self = Self::new();
    fn read(node: &Node) -> Option<Self> {
        Some(node.items().iter().filter_map(Node::string).collect())
    }
}

impl Value for Vec<Event> {
    const NOTHING: Self = Self::new();
    fn read(node: &Node) -> Option<Self> {
        let known = |item: &Node| Event::parse(item.known()?.as_ref());
        Some(node.items().iter().filter_map(known).collect())
    }
}

impl Value for bool {
    const NOTHING: Self = false;
    fn read(node: &Node) -> Option<Self> {
        match Core::of(node.known()?.as_ref()) {
            Core::Boolean(value) => Some(value),
            _ => None,
        }
    }
}

impl Value for u64 {
    const NOTHING: Self = 0;
    /// Held below what any count may be, so that sums cannot overflow.
    fn read(node: &Node) -> Option<Self> {
        const MOST: u64 = crate::rate::MOST * crate::rate::MOST;
        match Core::of(node.known()?.as_ref()) {
            Core::Integer(value) => Self::try_from(value).ok().filter(|value| *value <= MOST),
            _ => None,
        }
    }
}

impl MayBeOpen for u64 {
    const OPEN: Self = 1;
}

impl Value for u32 {
    const NOTHING: Self = 0;
    fn read(node: &Node) -> Option<Self> {
        Self::try_from(u64::read(node)?).ok()
    }
}

impl Value for MetricKind {
    const NOTHING: Self = Self::Trend;
    fn read(node: &Node) -> Option<Self> {
        Self::parse(node.known()?.as_ref())
    }
}

impl MayBeOpen for u32 {
    const OPEN: Self = 1;
}

impl Value for f64 {
    const NOTHING: Self = 0.0;
    #[allow(clippy::cast_precision_loss)]
    fn read(node: &Node) -> Option<Self> {
        match Core::of(node.known()?.as_ref()) {
            Core::Integer(value) => Some(value as Self),
            Core::Float(value) => Some(value),
            _ => None,
        }
    }
}

/// A share in [0, 1].
pub(super) struct Share(pub(super) f64);

impl Value for Share {
    const NOTHING: Self = Self(0.0);
    fn read(node: &Node) -> Option<Self> {
        parse_ratio(node.known()?.as_ref()).ok().map(Self)
    }
}

/// A factor, more than 0.
pub(super) struct Factor(pub(super) f64);

impl Value for Factor {
    const NOTHING: Self = Self(1.0);
    fn read(node: &Node) -> Option<Self> {
        parse_factor(node.known()?.as_ref()).ok().map(Self)
    }
}

/// A size in bytes.
pub(super) struct Size(pub(super) u64);

impl Value for Size {
    const NOTHING: Self = Self(0);
    fn read(node: &Node) -> Option<Self> {
        parse_bytes(node.known()?.as_ref()).ok().map(Self)
    }
}

impl Value for Duration {
    const NOTHING: Self = Self::ZERO;
    fn read(node: &Node) -> Option<Self> {
        parse_duration(node.known()?.as_ref()).ok()
    }
}

impl MayBeOpen for Duration {
    /// The shortest that any key takes.
    const OPEN: Self = Self::from_secs(1);
}

impl Value for Rate {
    const NOTHING: Self = Self::ONE;
    fn read(node: &Node) -> Option<Self> {
        Self::parse(node.known()?.as_ref()).ok()
    }
}

impl MayBeOpen for Rate {
    const OPEN: Self = Self::ONE;
}

one_of!(
    ConnectionMode,
    DataMode,
    Engine,
    HttpVersion,
    IfUndecided,
    MethodName,
    OnMissing,
    TlsResumption,
);

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::definition::keys::DEFINITION;
    use crate::definition::shape::{NameRule, Table};
    use std::collections::BTreeSet;

    fn defaults(table: &'static Table, seen: &mut BTreeSet<&'static str>) {
        if !seen.insert(table.name) {
            return;
        }
        for key in table.all() {
            if let Some(json) = key.default {
                let mut sink = Sink::new(key.name, json);
                let node = yaml::read(json, 0, &mut sink).unwrap();
                key.shape.check(&node, &mut sink);
                assert_eq!(sink.finish().0, [], "{}.{}", table.name, key.name);
            }
            below(key.shape, seen);
        }
    }

    /// A pattern that says all that a name may be is a regular expression.
    fn pattern(names: &NameRule) {
        let compiled = regex::Regex::new(names.pattern);
        assert!(names.valid.is_some() || compiled.is_ok(), "{}", names.said);
    }

    fn below(shape: &'static Shape, seen: &mut BTreeSet<&'static str>) {
        match shape {
            Shape::Text(text) => text.names.iter().for_each(pattern),
            Shape::List { of, .. } => below(of, seen),
            Shape::Map { keys, of, .. } => {
                pattern(keys);
                below(of, seen);
            }
            Shape::Either(shapes) => shapes.iter().for_each(|shape| below(shape, seen)),
            Shape::Object(table) => defaults(table, seen),
            Shape::Tagged { variants, .. } => {
                variants.iter().for_each(|table| defaults(table, seen));
            }
            Shape::Leading(tables) => tables.iter().for_each(|table| defaults(table, seen)),
            _ => {}
        }
    }

    #[test]
    fn declared_defaults_and_patterns_can_be_used() {
        let mut seen = BTreeSet::new();
        defaults(&DEFINITION, &mut seen);
        assert!(seen.len() > 20, "{seen:?}");
    }
}
