//! Rows in the text form of `COPY … FROM STDIN` (<https://www.postgresql.org/docs/current/sql-copy.html>, "Text Format").

use super::fault::refused;
use crate::sink::SinkError;
use bytes::Bytes;
use futures_util::SinkExt as _;
use std::fmt::Write as _;
use tokio_postgres::Transaction;

/// Rows, written one value after the other.
#[derive(Debug, Default)]
pub(super) struct Copy {
    text: String,
    at_start: bool,
}

impl Copy {
    pub(super) fn new() -> Self {
        Self {
            text: String::new(),
            at_start: true,
        }
    }

    /// All rows so far.
    fn into_text(self) -> String {
        self.text
    }

    fn separate(&mut self) {
        if !self.at_start {
            self.text.push('\t');
        }
        self.at_start = false;
    }

    pub(super) fn end_row(&mut self) {
        self.text.push('\n');
        self.at_start = true;
    }

    pub(super) fn null(&mut self) {
        self.separate();
        self.text.push_str("\\N");
    }

    /// A number, as PostgreSQL reads it back without loss.
    pub(super) fn number(&mut self, number: impl std::fmt::Display) {
        self.separate();
        // Writing to a string cannot fail.
        let _ = write!(self.text, "{number}");
    }

    pub(super) fn optional(&mut self, number: Option<impl std::fmt::Display>) {
        match number {
            Some(number) => self.number(number),
            None => self.null(),
        }
    }

    /// A count: those above `bigint`, which no run reaches, are its largest.
    pub(super) fn count(&mut self, count: u64) {
        self.number(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// PostgreSQL has no NUL in texts: the replacement character stands for it.
    pub(super) fn text(&mut self, text: &str) {
        self.separate();
        for c in text.chars() {
            match c {
                '\0' => self.text.push('\u{fffd}'),
                '\\' => self.text.push_str("\\\\"),
                '\t' => self.text.push_str("\\t"),
                '\n' => self.text.push_str("\\n"),
                '\r' => self.text.push_str("\\r"),
                c => self.text.push(c),
            }
        }
    }

    /// Unix ms as a `timestamptz`.
    pub(super) fn time(&mut self, time_ms: i64) {
        self.separate();
        self.text.push_str(&timestamp(time_ms));
    }

    /// An array of `bigint`.
    pub(super) fn array(&mut self, numbers: impl IntoIterator<Item = u64>) {
        self.separate();
        self.text.push('{');
        for (i, number) in numbers.into_iter().enumerate() {
            let comma = if i > 0 { "," } else { "" };
            let number = i64::try_from(number).unwrap_or(i64::MAX);
            let _ = write!(self.text, "{comma}{number}");
        }
        self.text.push('}');
    }
}

/// Sends rows into a table.
pub(super) async fn copy_in(
    transaction: &Transaction<'_>,
    table: &str,
    rows: Copy,
) -> Result<(), SinkError> {
    let to = transaction
        .copy_in(format!("COPY {table} FROM STDIN").as_str())
        .await
        .map_err(refused(table))?;
    tokio::pin!(to);
    let text = Bytes::from(rows.into_text());
    to.send(text).await.map_err(refused(table))?;
    to.finish().await.map_err(refused(table))?;
    Ok(())
}

/// Unix ms as PostgreSQL reads it, such as `2026-11-30 03:20:00.125+00`; years are bounded by four digits.
pub(super) fn timestamp(time_ms: i64) -> String {
    /// The end of the year 9999.
    const LAST_MS: i64 = 253_402_300_799_999;
    let time = chrono::DateTime::from_timestamp_millis(time_ms.clamp(0, LAST_MS));
    let time = time.unwrap_or_default();
    time.format("%Y-%m-%d %H:%M:%S%.3f+00").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_end_a_value_or_a_row_is_escaped() {
        let mut copy = Copy::new();
        copy.text("a\tb\\N\n\r\0é");
        copy.null();
        copy.number(0.1 + 0.2);
        copy.array([1, 2, u64::MAX]);
        copy.time(1_795_330_000_125);
        copy.end_row();
        copy.count(7);
        copy.array([]);
        copy.end_row();
        assert_eq!(
            copy.into_text(),
            "a\\tb\\\\N\\n\\r\u{fffd}é\t\\N\t0.30000000000000004\t{1,2,9223372036854775807}\t2026-11-22 06:46:40.125+00\n7\t{}\n"
        );
    }
}
