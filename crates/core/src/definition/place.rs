//! Where something stands: in the text, and in the tree.

use crate::syntax::Span;
use floodgate_records::printable::quoted;
use std::fmt;
use std::rc::Rc;

/// A stretch of a source text within one line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    /// Which text: 0 is the file, the others are overrides.
    pub(super) source: u16,
    /// From 1.
    pub(super) line: u32,
    /// From 1, in characters.
    pub(super) column: u32,
    /// In characters, at least 1.
    pub(super) width: u32,
    /// How many characters into it the value's text begins, if that stands there letter by letter.
    pub(super) inset: Option<u32>,
}

impl Mark {
    /// The first character of a text.
    pub(super) const fn start(source: u16) -> Self {
        Self {
            source,
            line: 1,
            column: 1,
            width: 1,
            inset: None,
        }
    }

    /// Where a part of the value's text stands; the whole, where that cannot be told.
    pub(super) fn part(self, text: &str, at: Span) -> Self {
        let end = at.end.unwrap_or(text.len()).max(at.start);
        let parts = text.get(..at.start).zip(text.get(at.start..end));
        let Some((inset, (before, part))) = self.inset.zip(parts) else {
            return self;
        };
        let count = |text: &str| u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
        Self {
            column: self
                .column
                .saturating_add(inset)
                .saturating_add(count(before)),
            width: count(part).max(1),
            ..self
        }
    }
}

/// The keys and indices that lead to a node. Shared, since each node has one.
#[derive(Clone, Debug, Default)]
pub(super) struct Path(Option<Rc<Segment>>);

#[derive(Debug)]
struct Segment {
    parent: Path,
    name: Name,
}

#[derive(Debug)]
enum Name {
    Key(String),
    Index(usize),
}

impl Path {
    /// Whether `above` leads here, or past here.
    pub(super) fn is_below(&self, above: &Self) -> bool {
        let mut at = Some(self);
        std::iter::from_fn(|| {
            let path = at?;
            at = path.0.as_ref().map(|segment| &segment.parent);
            Some(path)
        })
        .any(|path| path.is(above))
    }

    /// Whether both lead to one place.
    fn is(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (None, None) => true,
            (Some(a), Some(b)) => Rc::ptr_eq(a, b),
            _ => false,
        }
    }

    pub(super) fn key(&self, key: &str) -> Self {
        Self(Some(Rc::new(Segment {
            parent: self.clone(),
            name: Name::Key(key.to_owned()),
        })))
    }

    pub(super) fn index(&self, index: usize) -> Self {
        Self(Some(Rc::new(Segment {
            parent: self.clone(),
            name: Name::Index(index),
        })))
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(segment) = &self.0 else {
            return Ok(());
        };
        segment.parent.fmt(f)?;
        match &segment.name {
            Name::Index(index) => write!(f, "[{index}]"),
            Name::Key(key) => {
                let dot = if segment.parent.0.is_some() { "." } else { "" };
                // A long or odd key would make the message unreadable, and could forge another path.
                let simple = key.len() <= 64
                    && key
                        .bytes()
                        .all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b))
                    && !key.is_empty();
                if simple {
                    write!(f, "{dot}{key}")
                } else {
                    write!(f, "{dot}{}", quoted(key))
                }
            }
        }
    }
}
