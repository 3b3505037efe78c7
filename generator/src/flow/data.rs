//! Data files in memory: one text with the offsets of its cells, and only the columns that a template names.

use super::json;
use floodgate_core::definition::DataFormat;
use std::io::{self, BufRead, BufReader, Read};
use thiserror::Error;

/// The largest data file in bytes; offsets are 32 bits wide.
pub const MAX_DATA_BYTES: u64 = 1 << 30;
/// The most rows of a data file.
pub const MAX_ROWS: u32 = 10_000_000;
/// The longest line of a jsonl file in bytes.
const MAX_LINE_BYTES: u64 = 16 << 20;

/// A data file that cannot be used, and where it is at fault.
#[derive(Debug, Error)]
pub enum DataError {
    /// It cannot be read.
    #[error("data file {file}: {source}")]
    Io {
        /// The path as the definition has it.
        file: String,
        /// Why.
        source: io::Error,
    },
    /// A line is not what its format wants.
    #[error("data file {file}, line {line}{}: {problem}", shown(.column))]
    Line {
        /// The path as the definition has it.
        file: String,
        /// From 1.
        line: u64,
        /// In characters, from 1; `None` where it is the line as a whole.
        column: Option<u64>,
        /// What is wrong.
        problem: String,
        /// What the parser said, where it was a parser that found it.
        source: Option<serde_json::Error>,
    },
    /// The file as a whole is unusable.
    #[error("data file {file} {problem}")]
    File {
        /// The path as the definition has it.
        file: String,
        /// What is wrong.
        problem: String,
    },
}

fn shown(column: &Option<u64>) -> String {
    column.map_or_else(String::new, |column| format!(", column {column}"))
}

/// The rows of a data file.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Table {
    columns: Vec<String>,
    rows: u32,
    /// All cells, row by row.
    text: String,
    /// Where each cell ends in `text`.
    ends: Vec<u32>,
}

impl Table {
    /// Reads a file's content. `wanted` are the columns to keep; the others are checked and forgotten.
    ///
    /// # Errors
    /// Unreadable or malformed content, a wanted column that is missing, no rows, more than [`MAX_DATA_BYTES`] or
    /// [`MAX_ROWS`].
    pub fn read(
        file: &str,
        format: DataFormat,
        content: impl Read,
        wanted: &[String],
    ) -> Result<Self, DataError> {
        let mut loader = Loader {
            file,
            table: Self {
                columns: wanted.to_vec(),
                ..Self::default()
            },
        };
        match format {
            DataFormat::Csv { delimiter } => loader.csv(content, delimiter)?,
            DataFormat::Jsonl => loader.jsonl(content)?,
        }
        if loader.table.rows == 0 {
            return Err(match format {
                // The columns' names were read, and nothing after them.
                DataFormat::Csv { .. } => loader.line(
                    1,
                    "no row follows the names of the columns; add at least one",
                ),
                DataFormat::Jsonl => loader.fail("is empty; add at least one row".into()),
            });
        }
        loader.table.text.shrink_to_fit();
        loader.table.ends.shrink_to_fit();
        Ok(loader.table)
    }

    /// The kept columns, in the order of their indices.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The number of rows; at least one.
    pub fn rows(&self) -> u32 {
        self.rows
    }

    /// A cell.
    ///
    /// # Panics
    /// `row` or `column` is past the end.
    pub fn cell(&self, row: u32, column: usize) -> &str {
        let index = row as usize * self.columns.len() + column;
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        &self.text[start as usize..self.ends[index] as usize]
    }
}

/// The remedy for a header that was not split, if it looks like one of another delimiter.
fn other_delimiter(names: &[&str]) -> String {
    let [whole] = names else { return String::new() };
    let found = [(';', ";"), ('\t', "tab"), ('|', "|"), (',', ",")];
    let found = found
        .iter()
        .find(|(delimiter, _)| whole.contains(*delimiter));
    found.map_or_else(String::new, |(_, said)| {
        format!(" as one name: write delimiter: \"{said}\" beside file")
    })
}

struct Loader<'a> {
    file: &'a str,
    table: Table,
}

impl Loader<'_> {
    fn fail(&self, problem: String) -> DataError {
        DataError::File {
            file: self.file.to_owned(),
            problem,
        }
    }

    fn line(&self, line: u64, problem: impl Into<String>) -> DataError {
        DataError::Line {
            file: self.file.to_owned(),
            line,
            column: None,
            problem: problem.into(),
            source: None,
        }
    }

    /// A line that the parser refuses. It calls it line 1, and counts bytes.
    fn not_json(&self, line: u64, text: &[u8], source: serde_json::Error) -> DataError {
        let said = source.to_string();
        let place = format!(" at line {} column {}", source.line(), source.column());
        let before = text.get(..source.column().saturating_sub(1));
        let column =
            before.map(|before| String::from_utf8_lossy(before).chars().count() as u64 + 1);
        DataError::Line {
            file: self.file.to_owned(),
            line,
            column: column.filter(|_| source.column() > 0),
            problem: format!("not a JSON object: {}", said.trim_end_matches(&place)),
            source: Some(source),
        }
    }

    fn io(&self, source: io::Error) -> DataError {
        DataError::Io {
            file: self.file.to_owned(),
            source,
        }
    }

    fn cell(&mut self, text: &str) -> Result<(), DataError> {
        self.table.text.push_str(text);
        if self.table.text.len() as u64 > MAX_DATA_BYTES {
            return Err(self.fail(format!(
                "holds more than {MAX_DATA_BYTES} bytes of values; use fewer rows or columns"
            )));
        }
        self.table.ends.push(self.table.text.len() as u32);
        Ok(())
    }

    fn row(&mut self) -> Result<(), DataError> {
        self.table.rows += 1;
        if self.table.rows > MAX_ROWS {
            return Err(self.fail(format!(
                "has more than {MAX_ROWS} rows; split it over several tests"
            )));
        }
        Ok(())
    }

    fn csv(&mut self, content: impl Read, delimiter: u8) -> Result<(), DataError> {
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(delimiter)
            .from_reader(content);
        let header = reader
            .byte_headers()
            .map_err(|e| self.csv_error(e))?
            .clone();
        if header.is_empty() {
            let problem =
                "is empty; add a line with the names of the columns, and at least one row";
            return Err(self.fail(problem.into()));
        }
        let mut names = Vec::with_capacity(header.len());
        for name in &header {
            let name = std::str::from_utf8(name)
                .map_err(|_| self.line(1, "a column's name is not UTF-8; save the file as UTF-8"))?
                .trim();
            if names.contains(&name) {
                return Err(self.line(1, format!("column `{name}` stands twice; rename one")));
            }
            names.push(name);
        }
        let kept: Vec<usize> = self.positions(&names)?;
        let mut record = csv::ByteRecord::new();
        while reader
            .read_byte_record(&mut record)
            .map_err(|e| self.csv_error(e))?
        {
            let line = record.position().map_or(0, csv::Position::line);
            self.row()?;
            for &at in &kept {
                let text = std::str::from_utf8(&record[at]).map_err(|_| {
                    let problem = format!(
                        "the value of `{}` is not UTF-8; save the file as UTF-8",
                        names[at]
                    );
                    self.line(line, problem)
                })?;
                self.cell(text)?;
            }
        }
        Ok(())
    }

    fn positions(&self, names: &[&str]) -> Result<Vec<usize>, DataError> {
        let find = |column: &String| {
            names.iter().position(|name| name == column).ok_or_else(|| {
                let (known, remedy) = (names.join(", "), other_delimiter(names));
                self.line(1, format!("no column `{column}`; there is {known}{remedy}"))
            })
        };
        self.table.columns.iter().map(find).collect()
    }

    fn csv_error(&self, error: csv::Error) -> DataError {
        match error.into_kind() {
            csv::ErrorKind::Io(source) => self.io(source),
            csv::ErrorKind::UnequalLengths { pos, expected_len, len } => self.line(
                pos.map_or(0, |pos| pos.line()),
                format!("{len} fields where the first line has {expected_len}; quote values that hold the delimiter"),
            ),
            kind => self.fail(format!("is not csv: {kind:?}")),
        }
    }

    fn jsonl(&mut self, content: impl Read) -> Result<(), DataError> {
        let mut reader = BufReader::new(content);
        let mut seen = vec![false; self.table.columns.len()];
        let mut first = None;
        let mut line = Vec::new();
        for number in 1.. {
            line.clear();
            (&mut reader)
                .take(MAX_LINE_BYTES + 1)
                .read_until(b'\n', &mut line)
                .map_err(|e| self.io(e))?;
            if line.len() as u64 > MAX_LINE_BYTES {
                return Err(self.line(number, format!("longer than {MAX_LINE_BYTES} bytes")));
            }
            if line.is_empty() {
                break;
            }
            let text = if number == 1 {
                json::without_bom(&line)
            } else {
                &line
            };
            let text = text.trim_ascii_end();
            if !text.is_empty() {
                first.get_or_insert(number);
                self.object(number, text, &mut seen)?;
            }
        }
        match (first, seen.iter().position(|seen| !seen)) {
            (Some(first), Some(missing)) => {
                let field = &self.table.columns[missing];
                Err(self.line(
                    first,
                    format!("no field `{field}`, nor in any line after it"),
                ))
            }
            _ => Ok(()),
        }
    }

    /// A field that a line lacks, or that is null, is empty text; a value that is not a string is its JSON text, numbers in the
    /// digits of the file.
    fn object(&mut self, number: u64, line: &[u8], seen: &mut [bool]) -> Result<(), DataError> {
        let object = match json::parse(line).map_err(|error| self.not_json(number, line, error))? {
            serde_json::Value::Object(object) => object,
            _ => return Err(self.line(number, "not a JSON object: it is another value")),
        };
        self.row()?;
        for (index, seen) in seen.iter_mut().enumerate() {
            let value = object.get(&self.table.columns[index]);
            *seen |= value.is_some();
            match value {
                None | Some(serde_json::Value::Null) => self.cell("")?,
                Some(serde_json::Value::String(text)) => self.cell(text)?,
                Some(other) => {
                    self.cell(&json::member(
                        line,
                        &self.table.columns[index].clone(),
                        other,
                    ))?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const CSV: DataFormat = DataFormat::Csv { delimiter: b',' };

    fn read(format: DataFormat, content: &[u8], wanted: &[&str]) -> Result<Table, DataError> {
        let wanted: Vec<String> = wanted.iter().map(|&s| s.to_owned()).collect();
        Table::read("users.x", format, content, &wanted)
    }

    #[test]
    fn csv_keeps_the_wanted_columns() {
        let table = read(
            CSV,
            b"\xef\xbb\xbfid,name,note\r\n1,\"a, b\",x\n\n2,\"q\"\"q\nr\",y\n",
            &["name", "id"],
        )
        .unwrap();
        assert_eq!(table.rows(), 2);
        assert_eq!(
            [
                table.cell(0, 0),
                table.cell(0, 1),
                table.cell(1, 0),
                table.cell(1, 1)
            ],
            ["a, b", "1", "q\"q\nr", "2"]
        );
    }

    #[test]
    fn csv_is_split_at_the_delimiter_that_is_given() {
        for (delimiter, content) in [
            (b';', "\u{feff}id;name\n1;\"a;b,c\"\n"),
            (b'\t', "id\tname\r\n1\ta;b,c"),
            (b'|', "id|name\n1|a;b,c\n"),
        ] {
            let table = read(DataFormat::Csv { delimiter }, content.as_bytes(), &["name"]).unwrap();
            assert_eq!((table.rows(), table.cell(0, 0)), (1, "a;b,c"));
        }
        let error = read(CSV, b"id;name\n1;x\n", &["name"]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "data file users.x, line 1: no column `name`; there is id;name as one name: write delimiter: \";\" beside file"
        );
    }

    #[test]
    fn jsonl_takes_text_numbers_and_structures() {
        let lines = b"\xef\xbb\xbf{\"a\":\"x\",\"b\":1}\n\n{\"a\":null,\"b\":[1,{}]}\n{\"b\":true}\n{\"a\": 1.10, \"b\": [ 1e999, 9007199254740993.5 ]}";
        let table = read(DataFormat::Jsonl, lines, &["a", "b"]).unwrap();
        let cells: Vec<_> = (0..4)
            .flat_map(|row| [table.cell(row, 0), table.cell(row, 1)])
            .collect();
        assert_eq!(
            cells,
            [
                "x",
                "1",
                "",
                "[1,{}]",
                "",
                "true",
                "1.10",
                "[1e999,9007199254740993.5]"
            ]
        );
    }

    #[test]
    fn faults_name_file_line_and_remedy() {
        let deep = format!("{{\"a\":{}1{}}}", "[".repeat(5_000), "]".repeat(5_000));
        for (format, content, expected) in [
            (
                CSV,
                "a,b\n1,2\n3\n".as_bytes(),
                "data file users.x, line 3: 1 fields where the first line has 2",
            ),
            (
                CSV,
                b"a,b\n",
                "data file users.x, line 1: no row follows the names of the columns",
            ),
            (
                CSV,
                b"",
                "data file users.x is empty; add a line with the names",
            ),
            (CSV, b"a,a\n1,2\n", "line 1: column `a` stands twice"),
            (CSV, b"x,y\n1,2\n", "line 1: no column `a`; there is x, y"),
            (
                CSV,
                b"a\n1\n\xff\n",
                "line 3: the value of `a` is not UTF-8",
            ),
            (
                DataFormat::Jsonl,
                b"{\"a\":1}\n{\"a\":\n",
                "line 2, column 5: not a JSON object: EOF while parsing a value",
            ),
            (
                DataFormat::Jsonl,
                "{\"a\":\"é\" 1}\n".as_bytes(),
                "line 1, column 10: not a JSON object: expected `,` or `}`",
            ),
            (
                DataFormat::Jsonl,
                b"{\"a\":\"x\xff\"}\n",
                "line 1, column 8: not a JSON object: invalid unicode code point",
            ),
            (
                CSV,
                b"\xff\xfea\0\n\0",
                "line 1: a column's name is not UTF-8; save the file as UTF-8",
            ),
            (DataFormat::Jsonl, b"[1]\n", "line 1: not a JSON object"),
            (
                DataFormat::Jsonl,
                b"\n{\"b\":1}\n",
                "line 2: no field `a`, nor in any line after it",
            ),
            (DataFormat::Jsonl, b"\n\n", "is empty; add at least one row"),
            (
                DataFormat::Jsonl,
                deep.as_bytes(),
                "not a JSON object: recursion limit exceeded",
            ),
        ] {
            let error = read(format, content, &["a"]).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}\n{expected}");
        }
    }

    proptest! {
        #[test]
        fn csv_reads_back_what_was_written(rows in proptest::collection::vec((".{0,12}", ".{1,12}"), 1..20)) {
            let mut writer = csv::Writer::from_writer(Vec::new());
            writer.write_record(["a", "b"]).unwrap();
            for (a, b) in &rows {
                writer.write_record([a, b]).unwrap();
            }
            let table = read(CSV, &writer.into_inner().unwrap(), &["a", "b"]).unwrap();
            prop_assert_eq!(table.rows() as usize, rows.len());
            for (row, (a, b)) in rows.iter().enumerate() {
                prop_assert_eq!(table.cell(row as u32, 0), a);
                prop_assert_eq!(table.cell(row as u32, 1), b);
            }
        }

        #[test]
        fn no_content_is_a_panic(content in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(CSV, &content, &["a"]);
            let _ = read(DataFormat::Jsonl, &content, &["a"]);
        }
    }
}
