//! The shape of a definition as data: which keys a map takes and what stands behind them. The parser's checks and the
//! published JSON Schema both come from it, so that they cannot drift apart.

pub(super) mod check;
pub(super) mod pattern;
pub(super) mod scalar;

use crate::syntax::SyntaxError;
use pattern::matches;

/// What a value may be.
pub(super) enum Shape {
    /// Anything that JSON can say.
    Any,
    /// Text, with or without templates in it.
    Text(Text),
    /// A whole number, both ends included.
    Integer { min: u64, max: u64 },
    /// A number, both ends included.
    Number { min: f64, max: f64 },
    /// `true` or `false`.
    Boolean,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A scalar with a small grammar of its own.
    Grammar(Grammar),
    /// A list with at least so many items.
    List { of: &'static Self, min: usize },
    /// A map from free names.
    Map {
        keys: NameRule,
        of: &'static Self,
        min: usize,
    },
    /// A map with known keys.
    Object(&'static Table),
    /// A map whose key `tag` names the table whose keys it takes.
    Tagged {
        tag: &'static str,
        variants: &'static [Table],
    },
    /// A map that is the one of these whose leading key it has.
    Leading(&'static [&'static Table]),
    /// A scalar, a list or a map: the first of these whose kind fits.
    Either(&'static [Self]),
}

/// Text.
pub(super) struct Text {
    /// Whether `${vu}` and the like may stand in it.
    pub(super) template: bool,
    /// A check of the text and what it lets through.
    pub(super) names: Option<NameRule>,
    /// The most bytes.
    pub(super) max: usize,
}

/// Which names there may be.
#[derive(Clone, Copy)]
pub(super) struct NameRule {
    /// A regular expression; the schema has it, too.
    pub(super) pattern: &'static str,
    /// What is let through, where that is not just what the pattern matches.
    pub(super) valid: Option<fn(&str) -> bool>,
    /// What is let through, in words.
    pub(super) said: &'static str,
    /// Names that it cannot be, and why.
    pub(super) reserved: &'static [(&'static str, &'static str)],
}

impl NameRule {
    pub(super) const fn new(pattern: &'static str, said: &'static str) -> Self {
        Self {
            pattern,
            valid: None,
            said,
            reserved: &[],
        }
    }

    /// Whether a name is let through, reserved ones included.
    pub(super) fn take(&self, name: &str) -> bool {
        match self.valid {
            Some(valid) => valid(name),
            None => matches(self.pattern, name),
        }
    }
}

/// A grammar in a scalar.
pub(super) struct Grammar {
    /// Reads it; the value is read once more when it is used.
    pub(super) check: fn(&str) -> Result<(), SyntaxError>,
    /// In words, for messages and the schema.
    pub(super) said: &'static str,
    /// What JSON may write it as.
    pub(super) types: &'static [&'static str],
    /// A regular expression for the schema, looser than `check` or equal to it.
    pub(super) pattern: Option<&'static str>,
    /// What is allowed and probably not meant.
    pub(super) doubt: fn(&str) -> Option<String>,
}

/// The keys of a map.
pub(super) struct Table {
    /// Its name in the schema.
    pub(super) name: &'static str,
    /// What it is.
    pub(super) about: &'static str,
    /// Its keys, in groups that tables share.
    pub(super) keys: &'static [&'static [Key]],
    /// Exactly one of these must stand there.
    pub(super) one_of: &'static [&'static str],
    /// At most one of these may.
    pub(super) at_most_one: &'static [&'static str],
    /// Keys that a reader of k6's documents may try, and what to do instead.
    pub(super) foreign: &'static [(&'static str, &'static str)],
    /// What further keys may be, and what stands behind them.
    pub(super) others: Option<(NameRule, &'static Shape)>,
}

/// A key.
#[derive(Clone, Copy)]
pub(super) struct Key {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    pub(super) shape: &'static Shape,
    pub(super) required: bool,
    /// JSON text.
    pub(super) default: Option<&'static str>,
}

impl Key {
    pub(super) const fn new(
        name: &'static str,
        shape: &'static Shape,
        about: &'static str,
    ) -> Self {
        Self {
            name,
            about,
            shape,
            required: false,
            default: None,
        }
    }

    pub(super) const fn required(self) -> Self {
        Self {
            required: true,
            ..self
        }
    }

    pub(super) const fn default(self, json: &'static str) -> Self {
        Self {
            default: Some(json),
            ..self
        }
    }
}

impl Table {
    pub(super) const fn new(
        name: &'static str,
        about: &'static str,
        keys: &'static [&'static [Key]],
    ) -> Self {
        Self {
            name,
            about,
            keys,
            one_of: &[],
            at_most_one: &[],
            foreign: &[],
            others: None,
        }
    }

    pub(super) const fn one_of(self, one_of: &'static [&'static str]) -> Self {
        Self { one_of, ..self }
    }

    pub(super) const fn at_most_one(self, at_most_one: &'static [&'static str]) -> Self {
        Self {
            at_most_one,
            ..self
        }
    }

    pub(super) const fn foreign(self, foreign: &'static [(&'static str, &'static str)]) -> Self {
        Self { foreign, ..self }
    }

    pub(super) const fn others(self, names: NameRule, shape: &'static Shape) -> Self {
        Self {
            others: Some((names, shape)),
            ..self
        }
    }

    /// All keys.
    pub(super) fn all(&self) -> impl Iterator<Item = &'static Key> + use<> {
        self.keys.iter().flat_map(|group| group.iter())
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.all().map(|key| key.name)
    }

    pub(super) fn key(&self, name: &str) -> Option<&'static Key> {
        self.all().find(|key| key.name == name)
    }
}

impl Grammar {
    /// Of a scalar that JSON writes as text.
    pub(super) const fn new(
        check: fn(&str) -> Result<(), SyntaxError>,
        said: &'static str,
    ) -> Self {
        Self {
            check,
            said,
            types: &["string"],
            pattern: None,
            doubt: |_| None,
        }
    }
}

/// The prefix of keys of the whole definition that are ignored, so that anchors have a place to stand.
pub(super) const EXTENSION: &str = "x-";

impl Shape {
    /// What it is in words.
    pub(super) fn said(&self) -> String {
        match self {
            Self::Any => "any value".to_owned(),
            Self::Text(Text {
                names: Some(names), ..
            }) => names.said.to_owned(),
            Self::Text(_) => "text".to_owned(),
            Self::Integer { min, max } if min == max => format!("{min}"),
            Self::Integer { min, max } => format!("a whole number from {min} to {max}"),
            Self::Number { min, max } => format!("a number from {min} to {max}"),
            Self::Boolean => "true or false".to_owned(),
            Self::Choice(words) => words.join(", "),
            Self::Grammar(grammar) => grammar.said.to_owned(),
            Self::List { of, min: 0 } => format!("a list, each item {}", of.said()),
            Self::List { of, .. } => format!("a list of at least one item, each {}", of.said()),
            Self::Map { keys, of, .. } => {
                format!("a map, each key {}, each value {}", keys.said, of.said())
            }
            Self::Object(table) => format!(
                "a map with the keys {}",
                table.names().collect::<Vec<_>>().join(", ")
            ),
            Self::Tagged { tag, .. } => format!("a map with the key {tag}"),
            Self::Leading(tables) => {
                let keys: Vec<_> = tables
                    .iter()
                    .flat_map(|table| table.one_of.iter().copied())
                    .collect();
                format!("a map with one of the keys {}", keys.join(", "))
            }
            Self::Either(shapes) => shapes
                .iter()
                .map(Self::said)
                .collect::<Vec<_>>()
                .join("; or "),
        }
    }
}
