//! Colours and widths, and the one kind of table that all reports use.

use comfy_table::{
    Attribute, Cell, CellAlignment, Color, ColumnConstraint, ContentArrangement, Table, presets,
};
use floodgate_records::outcome::Outcome;
use floodgate_records::printable::printable;
use floodgate_records::status::Status;

/// How text is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Whether ANSI colours may be used.
    pub color: bool,
    /// Columns to stay within.
    pub width: u16,
}

/// The narrowest layout that is tried; a smaller terminal wraps by itself.
const MIN_WIDTH: u16 = 60;
/// Wider lines are hard to follow with the eye.
const MAX_WIDTH: u16 = 120;
/// No text is as long.
const UNBOUNDED: u16 = u16::MAX;

impl Style {
    /// No colours, 100 columns: for files and tests.
    pub const PLAIN: Self = Self {
        color: false,
        width: 100,
    };

    /// What standard output can show: colours and its own width if it is a terminal that wants them (`NO_COLOR`,
    /// `CLICOLOR` and `CLICOLOR_FORCE` count). What goes to a program has no width: a text that is broken can't be searched for.
    pub fn of_stdout() -> Self {
        let size = console::Term::stdout().size_checked();
        Self {
            color: console::colors_enabled(),
            width: size.map_or(UNBOUNDED, |(_, columns)| {
                columns.clamp(MIN_WIDTH, MAX_WIDTH)
            }),
        }
    }

    /// `text` in a tone, with nothing in it that a terminal would obey.
    pub(crate) fn paint(self, text: &str, tone: Tone) -> String {
        let style = match tone {
            Tone::Plain => return printable(text).into_owned(),
            Tone::Dim => console::Style::new().dim(),
            Tone::Good => console::Style::new().green(),
            Tone::Bad => console::Style::new().red(),
            Tone::Warn => console::Style::new().yellow(),
        };
        self.apply(style, text)
    }

    /// `text` in bold, and in a tone.
    pub(crate) fn strong(self, text: &str, tone: Tone) -> String {
        let bold = console::Style::new().bold();
        let style = match tone {
            Tone::Plain | Tone::Dim => bold,
            Tone::Good => bold.green(),
            Tone::Bad => bold.red(),
            Tone::Warn => bold.yellow(),
        };
        self.apply(style, text)
    }

    fn apply(self, style: console::Style, text: &str) -> String {
        let text = printable(text);
        if self.color {
            style.force_styling(true).apply_to(text).to_string()
        } else {
            text.into_owned()
        }
    }
}

/// What a text means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    Plain,
    Dim,
    Good,
    Bad,
    Warn,
}

/// What came of a threshold.
pub(crate) fn of_outcome(outcome: Outcome, aborted: bool) -> Field {
    match outcome {
        // Also where the last look found it holding again: the breach is why the run ended.
        _ if aborted => ("✗ stopped the run".into(), Tone::Bad),
        Outcome::Passed => ("✓ holds".into(), Tone::Good),
        Outcome::Failed => ("✗ breached".into(), Tone::Bad),
        Outcome::NoData => ("? no data".into(), Tone::Warn),
    }
}

/// The tone and the sign of a status.
pub(crate) fn of_status(status: Status) -> (Tone, &'static str) {
    match status {
        Status::Passed => (Tone::Good, "✓"),
        Status::Failed | Status::Errored => (Tone::Bad, "✗"),
        Status::Inconclusive | Status::Aborted => (Tone::Warn, "?"),
        Status::Preparing | Status::Running | Status::Merging => (Tone::Plain, "…"),
    }
}

/// A column: its heading, and how it is laid out.
pub(crate) type Column<'a> = (&'a str, Align);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Align {
    /// From the left, never broken.
    Left,
    /// From the left, and broken into lines where there is no room.
    Wrap,
    /// From the right, for numbers; never broken.
    Right,
}

/// A cell: its text and its tone.
pub(crate) type Field = (String, Tone);

/// A field without a tone.
pub(crate) fn plain(text: impl Into<String>) -> Field {
    (text.into(), Tone::Plain)
}

/// Lays rows out in columns, indented by two; a heading line appears if any column has one. Only [`Align::Wrap`] columns give way.
pub(crate) fn table(style: Style, columns: &[Column<'_>], rows: Vec<Vec<Field>>) -> String {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic)
        // Two columns of indent are before it, and the padding of its last column is cut off.
        .set_width(style.width);
    if style.color {
        table.enforce_styling();
        // Otherwise the padding is coloured too, which shows with underlines and on copying.
        table.style_text_only();
    } else {
        table.force_no_tty();
    }
    if columns.iter().any(|(heading, _)| !heading.is_empty()) {
        table.set_header(
            columns
                .iter()
                .map(|(heading, _)| Cell::new(heading).add_attribute(Attribute::Dim)),
        );
    }
    for row in rows {
        table.add_row(row.into_iter().map(|(text, tone)| cell(text, tone)));
    }
    for (i, (_, align)) in columns.iter().enumerate() {
        if let Some(column) = table.column_mut(i) {
            column.set_padding((0, 2));
            if *align != Align::Wrap {
                column.set_constraint(ColumnConstraint::ContentWidth);
            }
            column.set_cell_alignment(if *align == Align::Right {
                CellAlignment::Right
            } else {
                CellAlignment::Left
            });
        }
    }
    table
        .lines()
        .map(|line| format!("  {}\n", line.trim_end()))
        .collect()
}

/// The same, giving up the columns `less` one by one, in that order, until all lines stay within the width; after the last one,
/// texts are broken over lines.
pub(crate) fn fitting(
    style: Style,
    columns: &[Column<'_>],
    rows: Vec<Vec<Field>>,
    less: &[usize],
) -> String {
    let mut given_up = 0;
    loop {
        let stays = |index: &usize| !less[..given_up].contains(index);
        let kept: Vec<_> = (0..columns.len()).filter(stays).collect();
        let mut columns: Vec<_> = kept.iter().map(|i| columns[*i]).collect();
        let rows = rows
            .iter()
            .map(|row| kept.iter().map(|i| row[*i].clone()).collect());
        let rows: Vec<Vec<Field>> = rows.collect();
        let text = table(style, &columns, rows.clone());
        let widest = text.lines().map(console::measure_text_width).max();
        if widest.is_none_or(|w| w <= usize::from(style.width)) {
            return text;
        }
        if given_up == less.len() {
            for (_, align) in columns.iter_mut().filter(|(_, a)| *a == Align::Left) {
                *align = Align::Wrap;
            }
            return table(style, &columns, rows);
        }
        given_up += 1;
    }
}

fn cell(text: String, tone: Tone) -> Cell {
    let cell = Cell::new(printable(&text));
    match tone {
        Tone::Plain => cell,
        Tone::Dim => cell.add_attribute(Attribute::Dim),
        Tone::Good => cell.fg(Color::DarkGreen),
        Tone::Bad => cell.fg(Color::DarkRed),
        Tone::Warn => cell.fg(Color::DarkYellow),
    }
}
