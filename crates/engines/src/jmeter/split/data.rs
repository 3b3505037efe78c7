//! The rows of a CSV data set that belong to one task.

use crate::jmeter::plan::Element;
use floodgate_core::schedule::Segment;
use std::path::Path;

/// The largest file that is divided, in bytes.
const LARGEST: u64 = 1 << 30;

/// A task's rows.
#[derive(Debug)]
pub(super) struct Rows {
    pub(super) bytes: Vec<u8>,
    pub(super) warning: Option<String>,
}

/// Reads the file of a `CSVDataSet` and keeps our rows.
///
/// # Errors
/// Why it cannot be divided, in words.
pub(super) fn rows(element: &Element, file: &Path, segment: &Segment) -> Result<Rows, String> {
    let encoding = element.text("fileEncoding").to_ascii_uppercase();
    if encoding.starts_with("UTF-16") || encoding.starts_with("UTF-32") {
        return Err(format!(
            "{encoding} is not divided into rows: save it as UTF-8"
        ));
    }
    let about = std::fs::metadata(file).map_err(|error| format!("{}: {error}", file.display()))?;
    // A device or a pipe has no rows that could be counted, or no end.
    if !about.is_file() {
        return Err(format!("{} is not a file", file.display()));
    }
    if about.len() > LARGEST {
        return Err(format!("{} is larger than {LARGEST} bytes", file.display()));
    }
    let all = std::fs::read(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let quoted = element.text("quotedData") == "true";
    // Without names the first line has them; `ignoreFirstLine` says that it does although there are names.
    let header =
        element.text("variableNames").is_empty() || element.text("ignoreFirstLine") == "true";
    let (ours, count) = part(&all, quoted, header, segment);
    // Without `recycle` a task without rows ends its threads or has none, as one task does past the last row.
    if count == 0 && element.text("recycle") != "false" {
        let warning =
            "it has fewer rows than there are tasks: a task without one reads all of them";
        return Ok(Rows {
            bytes: all,
            warning: Some(warning.to_owned()),
        });
    }
    Ok(Rows {
        bytes: ours,
        warning: None,
    })
}

/// Our rows byte by byte, with the header, and how many they are.
pub(super) fn part(all: &[u8], quoted: bool, header: bool, segment: &Segment) -> (Vec<u8>, u64) {
    let mut ours = Vec::new();
    let (mut number, mut count, mut start) = (0_u64, 0, 0);
    let mut first = header;
    while start < all.len() {
        let end = row_end(all, start, quoted);
        let row = &all[start..end];
        start = end;
        if first {
            first = false;
            ours.extend_from_slice(row);
            continue;
        }
        if segment.owns(number) {
            ours.extend_from_slice(row);
            count += 1;
        }
        number += 1;
    }
    (ours, count)
}

/// Past the line break that ends a row.
fn row_end(all: &[u8], start: usize, quoted: bool) -> usize {
    let mut open = false;
    let found = memchr::memchr2_iter(b'\n', b'"', &all[start..]).find(|&at| {
        let byte = all[start + at];
        if byte == b'"' {
            open ^= quoted;
        }
        byte == b'\n' && !open
    });
    found.map_or(all.len(), |at| start + at + 1)
}
