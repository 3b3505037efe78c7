//! Reading what k6 writes: its JSON output while it runs, JSON and CSV from elsewhere.
//!
//! Tags become those of the native engine, so that one scenario has the same series whoever runs it: `url`, `error`, `proto`, `subproto`,
//! `tls_version`, `ip`, `ocsp_status`, `vu` and `iter` are dropped, an empty `group` is none, `error_code` is a name of our closed list
//! where it has one. A request that the script gives no `name` has its URL for one, as in k6: the first 100 such URLs of a task are
//! kept, further ones are `__other__`, with a warning.
//!
//! `http_req_duration` is k6's: service time from the first byte sent. How `http_req_response_time` comes about: `response`.

mod csv;
mod evidence;
mod failure;
mod json;
mod kinds;
mod point;
mod response;
mod samples;
pub(super) mod tags;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
mod time;

use crate::inspection::PlannedScenario;
use crate::read::Reader;
pub use csv::CsvReader;
pub use json::JsonReader;
use std::collections::BTreeMap;

/// A reader of the output that [`launch`](super::launch()) asks k6 for, of a script with these scenarios.
pub fn reader(scenarios: &[PlannedScenario]) -> Box<dyn Reader> {
    Box::new(JsonReader::of_run(scenarios))
}

/// A reader of a file that k6 wrote elsewhere, by how it begins; `None` if it is neither k6's JSON nor its CSV. Compressed files
/// (`.gz`) are for the caller to decompress. A CSV does not say what types custom metrics have: see [`CsvReader::new`].
pub fn import(head: &[u8]) -> Option<Box<dyn Reader>> {
    let head = head
        .strip_prefix("\u{feff}".as_bytes())
        .unwrap_or(head)
        .trim_ascii_start();
    if head.starts_with(csv::HEADER.as_bytes()) {
        return Some(Box::new(CsvReader::new(BTreeMap::new())));
    }
    let line = head.split(|&byte| byte == b'\n').next()?;
    let has = |words: &[u8]| memchr::memmem::find(line, words).is_some();
    let is_k6 =
        line.starts_with(b"{") && has(b"\"metric\"") && (has(b"\"Metric\"") || has(b"\"Point\""));
    is_k6.then(|| Box::new(JsonReader::new()) as Box<dyn Reader>)
}
