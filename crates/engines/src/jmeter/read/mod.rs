//! JMeter's results (JTL) into samples: CSV by header, and XML, while they are written.
//!
//! | JTL | series |
//! |---|---|
//! | label of the sampler | tag `name`; sub-results (redirects, embedded resources) have the name of their sampler |
//! | thread name `Group 1-3` | tag `scenario` = `Group` |
//! | response code, three digits | tag `status` |
//! | `Non HTTP response code: …` | tag `error_code`, one of [`code::CODES`] |
//! | success | `http_req_failed`, tag `expected_response` |
//! | elapsed − connect | `http_req_duration`: k6's, which leaves connecting out |
//! | Connect | `http_req_connecting`; JMeter counts name resolution and the TLS handshake in |
//! | Latency − Connect | `http_req_waiting`; JMeter counts sending in |
//! | elapsed − Latency | `http_req_receiving` |
//! | bytes, sentBytes | `data_received`, `data_sent` |
//! | allThreads | `vus` |
//! | failure message | `assertion_failures`, and `checks` where the plan tells which samplers have assertions |
//! | Transaction Controller, sampler with sub-results | `group_duration` with tag `group` = `::label`; no request |
//! | a sample without URL (JSR223, Java, JDBC) | `samples`, `sample_failed`, `sample_duration`; no request |
//! | an element of another class in XML | as a sample without URL, if its fields say what one is; else left out, with a warning |
//! | elapsed | `http_req_response_time`, of runs; samplers with a throughput timer also have estimates of it, see `jmeter::pace` |
//!
//! A sample stands at its end, as k6's do. All times have a resolution of one millisecond. Files from elsewhere do not say which timers
//! there were, so that there is no `http_req_response_time`.

pub mod code;
mod columns;
mod csv;
mod evidence;
mod family;
mod feed;
mod foreign;
mod intern;
mod options;
mod outcome;
mod sample;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod sums;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
mod xml;

pub use csv::CsvReader;
pub use options::Options;
pub use xml::XmlReader;

use crate::collector::Collector;
use crate::read::{ReadError, Reader};

/// Reads a JTL of either kind, told by its first letter.
pub struct AnyReader {
    options: Options,
    /// What stands before the first letter, or may.
    head: Vec<u8>,
    inner: Option<Box<dyn Reader>>,
}

/// Bytes before the first letter that are waited for.
const LONGEST_HEAD: usize = 64;

/// The first byte that is neither of a byte order mark nor a blank; `None` if more bytes may be needed.
fn first_letter(head: &[u8]) -> Option<u8> {
    let mark = "\u{feff}".as_bytes();
    if mark.starts_with(head) {
        return None;
    }
    let text = head.strip_prefix(mark).unwrap_or(head);
    let letter = text
        .iter()
        .copied()
        .find(|byte| !byte.is_ascii_whitespace());
    letter.or((head.len() > LONGEST_HEAD).then_some(b' '))
}

impl AnyReader {
    /// Nothing read yet.
    pub fn new(options: Options) -> Self {
        Self {
            options,
            head: Vec::new(),
            inner: None,
        }
    }
}

impl Reader for AnyReader {
    fn push(&mut self, bytes: &[u8], into: &mut Collector) -> Result<(), ReadError> {
        if let Some(inner) = &mut self.inner {
            return inner.push(bytes, into);
        }
        self.head.extend_from_slice(bytes);
        let Some(first) = first_letter(&self.head) else {
            return Ok(());
        };
        let options = std::mem::take(&mut self.options);
        let inner = self.inner.insert(match first {
            b'<' => Box::new(XmlReader::new(options)),
            _ => Box::new(CsvReader::new(options)),
        });
        inner.push(&std::mem::take(&mut self.head), into)
    }

    fn finish(&mut self, into: &mut Collector) -> Result<Vec<String>, ReadError> {
        match &mut self.inner {
            Some(inner) => inner.finish(into),
            None => Ok(vec![
                "the results are empty: JMeter wrote no sample".to_owned(),
            ]),
        }
    }
}

/// The reader of what a run writes, and of files that were made elsewhere: CSV or XML, whichever it is.
pub fn reader(options: Options) -> Box<dyn Reader> {
    Box::new(AnyReader::new(options))
}
