//! `simulation.log` into samples.
//!
//! | log | series |
//! |---|---|
//! | a request | `http_reqs`, `http_req_failed`, `http_req_duration`, `http_req_response_time` and `checks`, at its end, tagged `name`, `group` (`::outer::inner`), `expected_response`; if it failed also `error_code`, or the `status` that a check did not like; `scenario` if the log's head names exactly one |
//! | a group | `group_duration` (ms), tagged `group`, and `scenario` as above |
//! | a user's start and end | `vus`; `iterations`, tagged `scenario`; `iteration_duration` where the log says which start an end belongs to (3.0 to 3.3) |
//! | an error | a warning: nothing was sent |
//!
//! A request fails in Gatling if no answer came or if one of its checks does not hold (one of the status is always there), and the log
//! says no more: `checks` has one sample a request.

mod binary;
mod head;
mod input;
mod message;
mod samples;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
mod text;

use super::assertion::Assertion;
use super::thresholds::Name;
use crate::collector::Collector;
use crate::read::{ReadError, Reader};
use head::Head;
use samples::Samples;

/// A reader of a log, whichever layout it has.
pub fn reader() -> Box<dyn Reader> {
    Box::new(LogReader::default())
}

/// Reads `simulation.log`: text of Gatling 3.0 to 3.12, binary of 3.13 to 3.15, told apart by the first byte.
#[derive(Default)]
pub struct LogReader {
    layout: Layout,
    samples: Samples,
}

#[derive(Default)]
enum Layout {
    #[default]
    Unknown,
    Text(Box<text::Parser>),
    Binary(Box<binary::Parser>),
}

impl LogReader {
    /// The log's assertions, as far as they have been read: a binary log has them in its head, a text log in its first lines.
    pub fn assertions(&self) -> &[Assertion] {
        &self.head().assertions
    }

    /// The version of Gatling that wrote it; empty before the head.
    pub fn version(&self) -> &str {
        &self.head().version
    }

    /// The class of the simulation; empty before the head.
    pub fn simulation(&self) -> &str {
        &self.head().simulation
    }

    /// The requests that were read, each once: what `forAll` means. At most 20,000.
    pub fn requests(&self) -> Vec<Name> {
        self.samples.requests()
    }

    fn head(&self) -> &Head {
        const NONE: &Head = &Head {
            version: String::new(),
            simulation: String::new(),
            assertions: Vec::new(),
            unknown_assertions: 0,
        };
        match &self.layout {
            Layout::Unknown => NONE,
            Layout::Text(parser) => parser.head(),
            Layout::Binary(parser) => parser.head(),
        }
    }
}

impl Reader for LogReader {
    fn push(&mut self, bytes: &[u8], into: &mut Collector) -> Result<(), ReadError> {
        if let (Layout::Unknown, Some(first)) = (&self.layout, bytes.first()) {
            self.layout = match *first {
                binary::RUN => Layout::Binary(Box::default()),
                b'R' | b'A' => Layout::Text(Box::default()),
                _ => {
                    return Err(ReadError::malformed(
                        "byte 1".into(),
                        format!(
                            "{first:#04x} begins no simulation.log: is this the file that Gatling wrote?"
                        ),
                    ));
                }
            };
        }
        match &mut self.layout {
            Layout::Unknown => Ok(()),
            Layout::Text(parser) => parser.push(bytes, &mut self.samples, into),
            Layout::Binary(parser) => parser.push(bytes, &mut self.samples, into),
        }
    }

    fn finish(&mut self, into: &mut Collector) -> Result<Vec<String>, ReadError> {
        let (rest, complete) = match &mut self.layout {
            Layout::Unknown => (0, false),
            Layout::Text(parser) => {
                let rest = parser.finish(&mut self.samples, into);
                (rest, !parser.head().version.is_empty())
            }
            Layout::Binary(parser) => (parser.rest(), !parser.head().version.is_empty()),
        };
        let mut warnings = self.samples.warnings();
        if rest > 0 {
            into.note_cut();
            warnings.push(format!(
                "the log ends within a record: its last {rest} bytes are not counted"
            ));
        }
        if !complete {
            warnings.push("the log ends before its head does: Gatling did not come to run".into());
        }
        if self.head().unknown_assertions > 0 {
            warnings.push(format!(
                "{} assertions of the log are of a kind or a version that is not known here",
                self.head().unknown_assertions
            ));
        }
        Ok(warnings)
    }
}
