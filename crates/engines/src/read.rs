//! Reading an engine's output while it is written, in constant memory.

use crate::collector::Collector;
use std::error::Error;

/// Turns the bytes that an engine writes into samples. It is given the output piece by piece as it grows, cut anywhere.
pub trait Reader: Send {
    /// Reads on.
    ///
    /// # Errors
    /// [`ReadError`] if what follows cannot be read any more. What was read stays.
    fn push(&mut self, bytes: &[u8], into: &mut Collector) -> Result<(), ReadError>;

    /// The output has ended: reads what is left, and says what the reader of the record should know. After an error of
    /// [`Self::push`] it only gives what had been understood before.
    ///
    /// # Errors
    /// As for [`Self::push`]; an end in the middle of a record is none: it is what a killed engine leaves, and a warning.
    fn finish(&mut self, into: &mut Collector) -> Result<Vec<String>, ReadError>;
}

/// A time after this is none, Unix ms: the end of the year 2199. Neither is one before 1970.
pub(crate) const LATEST_MS: i64 = 7_258_118_400_000;

/// Why an engine's output cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// A line that is longer than any that the engine writes.
    #[error("line {line} is longer than {limit} bytes: is this the engine's output?")]
    TooLong {
        /// Its number, from 1.
        line: u64,
        /// The bound in bytes.
        limit: usize,
    },
    /// Something that the format does not allow.
    #[error("{place}: {problem}")]
    Malformed {
        /// Where, such as `line 12` or `byte 345`.
        place: String,
        /// What is wrong, with the value and the remedy.
        problem: String,
        /// What it was found by, if that was an error of its own.
        source: Option<Box<dyn Error + Send + Sync>>,
    },
    /// A version or a layout that this build does not know.
    #[error("{what} {found} is not known here; {remedy}")]
    Unknown {
        /// Of what.
        what: &'static str,
        /// The value.
        found: String,
        /// What to do.
        remedy: String,
    },
}

impl ReadError {
    /// Something that the format does not allow.
    pub(crate) fn malformed(place: String, problem: impl Into<String>) -> Self {
        Self::Malformed {
            place,
            problem: problem.into(),
            source: None,
        }
    }

    /// The same, found by `error`.
    pub(crate) fn because(mut self, error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        if let Self::Malformed { source, .. } = &mut self {
            *source = Some(error.into());
        }
        self
    }
}

/// Cuts pieces into lines, with a bound on what is kept from one piece to the next.
#[derive(Debug, Default)]
pub struct Lines {
    rest: Vec<u8>,
    line: u64,
}

/// The longest line in bytes.
const LONGEST: usize = 1 << 20;

impl Lines {
    /// Calls `each` with every complete line, without its end (`\n` or `\r\n`), and its number from 1.
    ///
    /// # Errors
    /// [`ReadError::TooLong`], and the first error of `each`.
    pub fn push<E: From<ReadError>>(
        &mut self,
        mut bytes: &[u8],
        mut each: impl FnMut(&[u8], u64) -> Result<(), E>,
    ) -> Result<(), E> {
        while let Some(end) = memchr::memchr(b'\n', bytes) {
            let (line, rest) = (&bytes[..end], &bytes[end + 1..]);
            bytes = rest;
            self.line += 1;
            if self.rest.is_empty() {
                each(without_return(line), self.line)?;
            } else {
                self.check(line.len())?;
                self.rest.extend_from_slice(line);
                let whole = std::mem::take(&mut self.rest);
                let done = each(without_return(&whole), self.line);
                self.rest = whole;
                self.rest.clear();
                done?;
            }
        }
        self.check(bytes.len())?;
        self.rest.extend_from_slice(bytes);
        Ok(())
    }

    fn check(&self, more: usize) -> Result<(), ReadError> {
        if self.rest.len() + more > LONGEST {
            return Err(ReadError::TooLong {
                line: self.line + 1,
                limit: LONGEST,
            });
        }
        Ok(())
    }

    /// The last line if it has no end; what a killed engine leaves of a record.
    pub fn rest(&self) -> Option<&[u8]> {
        (!self.rest.is_empty()).then_some(&self.rest[..])
    }
}

fn without_return(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn lines(pieces: &[&[u8]]) -> Result<(Vec<String>, Option<Vec<u8>>), ReadError> {
        let (mut lines, mut found) = (Lines::default(), Vec::new());
        for piece in pieces {
            lines.push(piece, |line, number| {
                found.push(format!("{number} {}", String::from_utf8_lossy(line)));
                Ok::<_, ReadError>(())
            })?;
        }
        Ok((found, lines.rest().map(<[u8]>::to_vec)))
    }

    #[test]
    fn lines_end_with_either_ending() {
        let (found, rest) = lines(&[b"a\r\nb\n\nc"]).unwrap();
        assert_eq!(found, ["1 a", "2 b", "3 "]);
        assert_eq!(rest.unwrap(), b"c");
    }

    #[test]
    fn a_line_without_end_is_refused() {
        let piece = vec![b'x'; LONGEST / 2 + 1];
        let error = lines(&[b"ok\n", &piece, &piece]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "line 2 is longer than 1048576 bytes: is this the engine's output?"
        );
    }

    proptest! {
        #[test]
        fn cuts_change_nothing(text in "[ab\\r\\n]{0,60}", cut in 0usize..60, again in 0usize..60) {
            let bytes = text.as_bytes();
            let (a, b) = (cut.min(bytes.len()), again.min(bytes.len()));
            let (a, b) = (a.min(b), a.max(b));
            let whole = lines(&[bytes]).unwrap();
            prop_assert_eq!(lines(&[&bytes[..a], &bytes[a..b], &bytes[b..]]).unwrap(), whole);
        }
    }
}
