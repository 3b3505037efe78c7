//! The page as sections of a few kinds of parts; the template knows these kinds and no figure.

use crate::style::{Field, Tone};
use floodgate_records::printable::printable;

/// A part of the page with a heading of its own.
#[derive(Debug, Default)]
pub(super) struct Section {
    /// Part of the page's address.
    pub(super) id: &'static str,
    pub(super) title: &'static str,
    pub(super) parts: Vec<Part>,
}

impl Section {
    pub(super) fn new(id: &'static str, title: &'static str, parts: Vec<Part>) -> Self {
        Self { id, title, parts }
    }
}

#[derive(Debug)]
pub(super) enum Part {
    Table(Table),
    /// Charts beside each other where there is room.
    Charts(Vec<Chart>),
    Note(Text),
    List(Vec<Text>),
    Facts(Vec<(Text, Text)>),
    /// Folded in: a title and a text in fixed width.
    Code(Text, Text),
}

/// What the script draws. Without a script there is the caption alone.
#[derive(Debug)]
pub(super) struct Chart {
    /// The name by which the script knows it.
    pub(super) kind: &'static str,
    pub(super) title: &'static str,
    /// What it shows, for whoever does not see it, too.
    pub(super) caption: &'static str,
    /// Whether it takes the whole width.
    pub(super) wide: bool,
}

#[derive(Debug, Default)]
pub(super) struct Table {
    /// What it is about, for whoever does not see the page.
    pub(super) caption: Text,
    pub(super) columns: Vec<Column>,
    pub(super) rows: Vec<Vec<Cell>>,
    /// Whether it can be sorted and filtered.
    pub(super) live: bool,
}

impl Table {
    /// A part, unless there are no rows.
    pub(super) fn part(self) -> Option<Part> {
        (!self.rows.is_empty()).then_some(Part::Table(self))
    }
}

#[derive(Debug)]
pub(super) struct Column {
    pub(super) head: &'static str,
    pub(super) number: bool,
}

pub(super) const fn text(head: &'static str) -> Column {
    Column {
        head,
        number: false,
    }
}

pub(super) const fn number(head: &'static str) -> Column {
    Column { head, number: true }
}

#[derive(Debug, Default)]
pub(super) struct Cell {
    pub(super) text: Text,
    pub(super) tone: &'static str,
    /// What a live table is sorted by; the text where there is none.
    pub(super) value: Option<f64>,
    /// The number of the name whose charts it leads to.
    pub(super) name: Option<usize>,
    pub(super) drawing: Option<Drawing>,
}

impl Cell {
    pub(super) fn of(text: impl AsRef<str>) -> Self {
        Self {
            text: Text::of(text),
            ..Self::default()
        }
    }

    /// A number as it is shown, and as it is sorted by.
    pub(super) fn number(text: impl AsRef<str>, value: f64) -> Self {
        Self {
            value: Some(value),
            ..Self::of(text)
        }
    }

    pub(super) fn dim(text: impl AsRef<str>) -> Self {
        Self::of(text).toned(Tone::Dim)
    }

    pub(super) fn toned(mut self, tone: Tone) -> Self {
        self.tone = match tone {
            Tone::Plain => "",
            Tone::Dim => "dim",
            Tone::Good => "good",
            Tone::Bad => "bad",
            Tone::Warn => "warn",
        };
        self
    }
}

impl From<Field> for Cell {
    fn from((text, tone): Field) -> Self {
        Self::of(text).toned(tone)
    }
}

/// An interval on a scale of 0 to 100, drawn in a cell.
#[derive(Debug)]
pub(super) struct Drawing {
    pub(super) low: f64,
    pub(super) estimate: f64,
    pub(super) high: f64,
    /// Where there is no change.
    pub(super) zero: f64,
    /// What is too small to matter.
    pub(super) within: (f64, f64),
}

/// A text that shows what it is: nothing in it turns the direction of writing or hides. The template escapes it for HTML.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Text(String);

impl Text {
    pub(super) fn of(text: impl AsRef<str>) -> Self {
        Self(printable(text.as_ref()).into_owned())
    }

    /// Of several lines.
    pub(super) fn lines(text: &str) -> Self {
        Self(floodgate_records::printable::printable_lines(text).into_owned())
    }
}

impl std::fmt::Display for Text {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}
