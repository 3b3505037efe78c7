//! What an engine says on stdout and stderr: all of it is read, so that it never waits, and the last lines are kept.

use std::collections::VecDeque;
use std::io::Read;
use std::sync::{Arc, Mutex, MutexGuard};

/// Lines that are kept.
const LINES: usize = 20;
/// Bytes of a line that are kept.
const LINE_BYTES: usize = 400;

/// The last lines, and what the engine complained of, shared with the thread that reads.
#[derive(Clone, Debug)]
pub(super) struct Words {
    complaint: fn(&str) -> Option<String>,
    kept: Arc<Mutex<Kept>>,
}

#[derive(Debug, Default)]
struct Kept {
    last: VecDeque<String>,
    /// How many errors there were, and the first.
    errors: u64,
    first_error: String,
}

impl Words {
    /// Nothing was said yet. Of each line `complaint` tells whether it is an error.
    pub(super) fn new(complaint: fn(&str) -> Option<String>) -> Self {
        Self {
            complaint,
            kept: Arc::default(),
        }
    }

    /// Reads to the end.
    pub(super) fn listen(&self, mut from: impl Read) {
        let (mut buffer, mut line, mut cut) = (vec![0; 16 << 10], Vec::new(), false);
        loop {
            let read = match from.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(_) => break,
            };
            for &byte in &buffer[..read] {
                if byte == b'\n' || byte == b'\r' {
                    self.keep(&line, cut);
                    line.clear();
                    cut = false;
                } else if line.len() < LINE_BYTES {
                    line.push(byte);
                } else {
                    cut = true;
                }
            }
        }
        self.keep(&line, cut);
    }

    fn keep(&self, line: &[u8], cut: bool) {
        let text = String::from_utf8_lossy(line);
        let text = text.trim();
        if text.is_empty() {
            return;
        }
        let error = (self.complaint)(text);
        let mut kept = self.kept();
        if let Some(error) = error {
            if kept.errors == 0 {
                kept.first_error = error;
            }
            kept.errors += 1;
        }
        if kept.last.len() == LINES {
            kept.last.pop_front();
        }
        kept.last.push_back(if cut {
            format!("{text}…")
        } else {
            text.to_owned()
        });
    }

    /// A thread that panicked while it held the lock has left whole lines.
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(|held| held.into_inner())
    }

    /// The last lines as one.
    pub(super) fn last(&self, lines: usize) -> String {
        let kept = self.kept();
        let skipped = kept.last.len().saturating_sub(lines);
        let last: Vec<_> = kept.last.iter().skip(skipped).map(String::as_str).collect();
        last.join(" | ")
    }

    /// The errors, in a sentence.
    pub(super) fn errors(&self) -> Option<String> {
        let kept = self.kept();
        (kept.errors > 0).then(|| {
            format!(
                "errors that the engine reported: {}; the first: {}",
                kept.errors, kept.first_error
            )
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_leaves_its_last_lines_and_no_line_is_long() {
        let words = Words::new(|line| line.ends_with("000").then(|| line.to_owned()));
        let flood: String = (0..100_000).map(|n| format!("line {n}\n")).collect();
        words.listen(flood.as_bytes());
        assert_eq!(words.last(2), "line 99998 | line 99999");
        words.listen(std::io::repeat(b'x').take(10_000_000));
        let last = words.last(1);
        assert_eq!(last.chars().count(), LINE_BYTES + 1);
        assert_eq!(words.kept.lock().unwrap().last.len(), LINES);
        let errors = words.errors().unwrap();
        assert_eq!(
            errors,
            "errors that the engine reported: 99; the first: line 1000"
        );
        assert_eq!(Words::new(|_| None).errors(), None);
    }
}
