//! Tables in Markdown.

use std::fmt::Write as _;

/// A table whose first column is text and whose others are numbers.
pub(super) struct Table {
    columns: usize,
    text: String,
}

impl Table {
    pub(super) fn new(header: &[&str]) -> Self {
        let mut table = Self {
            columns: header.len(),
            text: String::new(),
        };
        table.row(header.iter().map(ToString::to_string));
        table.row((0..header.len()).map(|n| if n == 0 { "---".into() } else { "---:".into() }));
        table
    }

    pub(super) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        let cells: Vec<String> = cells.into_iter().collect();
        debug_assert_eq!(cells.len(), self.columns);
        // Writing to a string cannot fail.
        let _ = writeln!(self.text, "| {} |", cells.join(" | "));
    }

    pub(super) fn finish(self) -> String {
        self.text
    }
}

/// A number with so many decimals; a dash for none.
pub(super) fn number(value: Option<f64>, decimals: usize) -> String {
    value
        .filter(|value| value.is_finite())
        .map_or_else(|| "–".into(), |value| format!("{value:.decimals$}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_markdown() {
        let mut table = Table::new(&["Tool", "ms"]);
        table.row(["wrk".into(), number(Some(1.25), 1)]);
        table.row(["hey".into(), number(None, 1)]);
        assert_eq!(
            table.finish(),
            "| Tool | ms |\n| --- | ---: |\n| wrk | 1.2 |\n| hey | – |\n"
        );
        assert_eq!(number(Some(f64::NAN), 1), "–");
    }
}
