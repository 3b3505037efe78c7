//! One record of a CSV, and its fields.

use crate::jmeter::read::sample::LONGEST_MS;
use crate::read::ReadError;
use std::borrow::Cow;

/// A record: its bytes, and where its fields end.
pub(super) struct Record<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) ends: &'a [usize],
    pub(super) line: u64,
}

impl<'a> Record<'a> {
    /// A field as it stands; empty where the record has none.
    #[inline]
    pub(super) fn raw(&self, column: u8) -> &'a [u8] {
        let column = usize::from(column);
        let Some(&end) = self.ends.get(column) else {
            return &[];
        };
        let start = if column == 0 {
            0
        } else {
            self.ends[column - 1] + 1
        };
        &self.bytes[start..end]
    }

    /// A field without its quotes.
    #[inline]
    pub(super) fn text(&self, column: u8) -> Cow<'a, [u8]> {
        let raw = self.raw(column);
        if raw.first() != Some(&b'"') {
            return Cow::Borrowed(raw);
        }
        unquoted(raw)
    }

    pub(super) fn number(&self, column: u8, name: &str) -> Result<u64, ReadError> {
        let raw = self.raw(column);
        parse(raw).ok_or_else(|| self.malformed(name, raw, "a number of at least 0"))
    }

    /// A time in ms.
    pub(super) fn span(&self, column: u8, name: &str) -> Result<u64, ReadError> {
        match self.number(column, name)? {
            long if long > LONGEST_MS => {
                Err(self.malformed(name, self.raw(column), "a time of at most a year in ms"))
            }
            ms => Ok(ms),
        }
    }

    /// A number that older versions and other tools leave out.
    pub(super) fn optional(&self, column: u8, name: &str) -> Result<Option<u64>, ReadError> {
        if self.raw(column).is_empty() {
            return Ok(None);
        }
        self.number(column, name).map(Some)
    }

    #[cold]
    pub(super) fn malformed(&self, name: &str, value: &[u8], wanted: &str) -> ReadError {
        let value: String = String::from_utf8_lossy(value).chars().take(80).collect();
        ReadError::malformed(
            format!("line {}", self.line),
            format!("{name} is {value:?}, not {wanted}: is this a JTL with that header?"),
        )
    }
}

/// Whether a field is a URL of HTTP.
#[inline]
pub(super) fn is_web(field: &[u8]) -> bool {
    let field = field.strip_prefix(b"\"").unwrap_or(field);
    field.starts_with(b"http")
}

#[cold]
fn unquoted(raw: &[u8]) -> Cow<'_, [u8]> {
    let inner = raw[1..].strip_suffix(b"\"").unwrap_or(&raw[1..]);
    if memchr::memchr(b'"', inner).is_none() {
        return Cow::Borrowed(inner);
    }
    let mut text = Vec::with_capacity(inner.len());
    let mut bytes = inner.iter();
    while let Some(&byte) = bytes.next() {
        text.push(byte);
        if byte == b'"' && bytes.as_slice().first() == Some(&b'"') {
            bytes.next();
        }
    }
    Cow::Owned(text)
}

/// How many fields a record has, given without its end.
pub(super) fn fields(record: &[u8], delimiter: u8) -> usize {
    let mut open = false;
    1 + memchr::memchr2_iter(delimiter, b'"', record)
        .filter(|&at| {
            open ^= record[at] == b'"';
            record[at] == delimiter && !open
        })
        .count()
}

/// Up to 18 digits.
#[inline]
pub(super) fn parse(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || digits.len() > 18 {
        return None;
    }
    let mut value = 0_u64;
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value * 10 + u64::from(digit);
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_are_taken_off() {
        assert_eq!(&*unquoted(br#""a ""b"", c""#), br#"a "b", c"#);
        assert_eq!(&*unquoted(b"\"plain\""), b"plain");
        assert_eq!(&*unquoted(b"\""), b"");
    }
}
