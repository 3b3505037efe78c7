//! HTTP Archives (<http://www.softwareishard.com/blog/har-12-spec/>) as browsers, proxies and recorders write them: read entry by entry,
//! so that memory is bounded by the largest entry and by what is kept.

mod body;
mod clean;
mod entry;
mod stream;

pub(crate) use body::bytes_or_text;

use crate::error::ConvertError;
use crate::recording::Recording;
use clean::Clean;
use serde_json::Value;
use std::cell::Cell;
use std::io::{BufRead, BufReader};
use stream::Archive;

/// The largest archive in bytes.
pub(crate) const MAX_BYTES: u64 = 2 << 30;
/// The most entries that are kept; recordings of a journey have some hundred.
const MAX_ENTRIES: usize = 20_000;
/// The most text of responses that is kept to find values in, in bytes.
const MAX_KEPT: usize = 64 << 20;
/// Entries that make no sense are named up to this many.
const MAX_NAMED: usize = 5;

/// Reads an archive.
///
/// # Errors
/// Text that is not JSON, with the entry in which it breaks off, and JSON that is no archive.
pub(crate) fn read(source: impl BufRead) -> Result<Recording, ConvertError> {
    let state = Cell::new(clean::State::default());
    let at = Cell::new(0_usize);
    let mut reading = Reading::default();
    let cleaned = BufReader::new(Clean::new(source, &state));
    let mut keep = |part| reading.take(part);
    let read = stream::read(cleaned, &at, &mut keep);
    read.map_err(|error| explain(error, at.get(), state.get()))?;
    let Reading {
        mut recording,
        found,
        mut broken,
        kept: _,
        page_ids,
        creator,
    } = reading;
    if !found {
        return Err(ConvertError::unsupported(
            "the HAR has no log.entries",
            "export it again, or name its format with --from",
        ));
    }
    recording.about = creator;
    entry::number_pages(&mut recording, &page_ids);
    let more = broken.len().saturating_sub(MAX_NAMED);
    broken.truncate(MAX_NAMED);
    recording.notes.append(&mut broken);
    if more > 0 {
        recording.notes.push(format!(
            "{more} more entries could not be read and are left out"
        ));
    }
    if state.get().replaced > 0 {
        let replaced = state.get().replaced;
        recording.notes.push(format!(
            "{replaced} characters that are not valid UTF-8 or UTF-16 were replaced by U+FFFD"
        ));
    }
    Ok(recording)
}

fn explain(error: serde_json::Error, entries: usize, state: clean::State) -> ConvertError {
    let place = match entries {
        0 => "the HAR cannot be read".to_owned(),
        n => format!("entry {n} of the HAR cannot be read"),
    };
    if error.is_io() && state.too_large {
        return ConvertError::unsupported(
            format!(
                "{place}: a text has more than {} MiB, or the file more than {} MiB",
                clean::MAX_TEXT >> 20,
                MAX_BYTES >> 20
            ),
            "export the HAR without content, or with fewer entries",
        );
    }
    let remedy = match error.classify() {
        serde_json::error::Category::Eof => "the file breaks off: export it again",
        _ => "a HAR is JSON with log.entries: export it again",
    };
    ConvertError::Json {
        place,
        source: error,
        remedy,
    }
}

/// What has been read so far.
#[derive(Default)]
struct Reading {
    recording: Recording,
    found: bool,
    broken: Vec<String>,
    kept: usize,
    page_ids: Vec<(String, String)>,
    creator: String,
}

impl Reading {
    fn take(&mut self, part: Archive) {
        match part {
            Archive::Entries => self.found = true,
            Archive::Pages(pages) => self.page_ids = entry::pages(&pages),
            Archive::Creator(by) => {
                let text = |key| by.get(key).and_then(Value::as_str).unwrap_or("");
                // What Chrome and all that are built on it say.
                let by = match text("name") {
                    "WebInspector" => "the DevTools of Chrome".to_owned(),
                    name => format!("{name} {}", text("version")),
                };
                let by: String = by.trim().chars().take(60).collect();
                // The browser says more than the tool that wrote the file.
                if !by.is_empty() && (self.creator.is_empty() || !self.creator.contains(&by)) {
                    self.creator = by;
                }
            }
            Archive::Entry(number, value) => self.entry(number, value),
        }
    }

    fn entry(&mut self, number: usize, value: Value) {
        if self.recording.exchanges.len() >= MAX_ENTRIES {
            if self.recording.exchanges.len() == MAX_ENTRIES
                && self.broken.iter().all(|text| !text.contains("beyond"))
            {
                self.broken.insert(
                    0,
                    format!("entries beyond the first {MAX_ENTRIES} are left out"),
                );
            }
            return;
        }
        match entry::exchange(number, value, MAX_KEPT.saturating_sub(self.kept)) {
            Ok(exchange) => {
                let body = exchange
                    .response
                    .as_ref()
                    .and_then(|response| response.body.as_ref());
                self.kept += body.map_or(0, String::len);
                self.recording.exchanges.push(exchange);
            }
            Err(why) => self
                .broken
                .push(format!("entry {number} is left out: {why}")),
        }
    }
}
