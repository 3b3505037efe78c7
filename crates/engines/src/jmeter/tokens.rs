//! Cuts XML that comes in pieces into tags and texts. It knows what XStream writes, not all of XML: a document type is refused, so
//! that nothing can be expanded.

use crate::read::ReadError;
use std::ops::Range;

/// The longest tag or comment in bytes.
const LONGEST: usize = 1 << 20;

/// A part of the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::jmeter) enum Token<'a> {
    /// `<name …>` or `<name …/>`: the name, what follows it, and whether it is closed at once.
    Open(&'a [u8], &'a [u8], bool),
    /// `</name>`.
    Close(&'a [u8]),
    /// Text between tags, as it stands; one text may come in several pieces.
    Text(&'a [u8]),
}

/// What is left of the last piece: a tag without its end.
#[derive(Debug, Default)]
pub(in crate::jmeter) struct Tokens {
    rest: Vec<u8>,
    read: u64,
}

impl Tokens {
    /// Calls `each` with every token that is complete, and where it stands from the start of the document.
    ///
    /// # Errors
    /// A tag that is too long, a document type, or an error of `each`.
    pub(in crate::jmeter) fn push(
        &mut self,
        bytes: &[u8],
        mut each: impl FnMut(Token<'_>, Range<u64>) -> Result<(), ReadError>,
    ) -> Result<(), ReadError> {
        if self.rest.is_empty() {
            let used = self.cut(bytes, &mut each)?;
            return self.keep(&bytes[used..]);
        }
        let mut whole = std::mem::take(&mut self.rest);
        whole.extend_from_slice(bytes);
        let used = self.cut(&whole, &mut each)?;
        self.keep(&whole[used..])
    }

    fn keep(&mut self, rest: &[u8]) -> Result<(), ReadError> {
        if rest.len() > LONGEST {
            return Err(self.malformed(&format!(
                "a tag is longer than {LONGEST} bytes: did JMeter write this?"
            )));
        }
        self.rest.extend_from_slice(rest);
        Ok(())
    }

    fn malformed(&self, problem: &str) -> ReadError {
        ReadError::malformed(format!("byte {}", self.read), problem)
    }

    /// Whether the document ended within a tag.
    pub(in crate::jmeter) fn has_rest(&self) -> bool {
        !self.rest.is_empty()
    }

    fn place(&self, length: usize) -> Range<u64> {
        self.read..self.read + length as u64
    }

    /// How many bytes were used.
    fn cut(
        &mut self,
        bytes: &[u8],
        each: &mut impl FnMut(Token<'_>, Range<u64>) -> Result<(), ReadError>,
    ) -> Result<usize, ReadError> {
        let mut at = 0;
        while let Some(&first) = bytes.get(at) {
            let rest = &bytes[at..];
            let length = if first != b'<' {
                let length = memchr::memchr(b'<', rest).unwrap_or(rest.len());
                each(Token::Text(&rest[..length]), self.place(length))?;
                length
            } else {
                match self.tag(rest)? {
                    None => break,
                    Some((None, length)) => length,
                    Some((Some(token), length)) => {
                        each(token, self.place(length))?;
                        length
                    }
                }
            };
            at += length;
            self.read += length as u64;
        }
        Ok(at)
    }

    /// A tag and its length; no token for what is passed over, nothing if it is not complete.
    #[allow(clippy::type_complexity)]
    fn tag<'a>(&self, rest: &'a [u8]) -> Result<Option<(Option<Token<'a>>, usize)>, ReadError> {
        let passed =
            |end: &str| memchr::memmem::find(rest, end.as_bytes()).map(|at| (None, at + end.len()));
        match rest {
            [b'<', b'!', b'-', b'-', ..] => Ok(passed("-->")),
            [b'<', b'?', ..] => Ok(passed("?>")),
            [b'<'] | [b'<', b'!'] | [b'<', b'!', b'-'] => Ok(None),
            [b'<', b'!', ..] => {
                Err(self.malformed("a document type or CDATA, which JMeter does not write"))
            }
            [b'<', b'/', ..] => Ok(memchr::memchr(b'>', rest)
                .map(|end| (Some(Token::Close(rest[2..end].trim_ascii())), end + 1))),
            _ => Ok(Self::end_of_tag(rest).map(|end| {
                let inner = &rest[1..end];
                let (inner, empty) = match inner.strip_suffix(b"/") {
                    Some(inner) => (inner, true),
                    None => (inner, false),
                };
                let name = inner
                    .iter()
                    .position(u8::is_ascii_whitespace)
                    .unwrap_or(inner.len());
                (
                    Some(Token::Open(&inner[..name], &inner[name..], empty)),
                    end + 1,
                )
            })),
        }
    }

    /// Where `>` stands outside of quotes.
    fn end_of_tag(bytes: &[u8]) -> Option<usize> {
        let mut quote = None;
        memchr::memchr3_iter(b'"', b'\'', b'>', bytes).find(|&at| match (bytes[at], quote) {
            (b'>', None) => true,
            (b'>', Some(_)) => false,
            (byte, None) => {
                quote = Some(byte);
                false
            }
            (byte, Some(open)) => {
                if byte == open {
                    quote = None;
                }
                false
            }
        })
    }
}

/// The attributes of a tag, entities resolved; what is not an attribute is passed over.
pub(in crate::jmeter) fn attributes(bytes: &[u8]) -> impl Iterator<Item = (&[u8], String)> {
    let mut rest = bytes.trim_ascii();
    std::iter::from_fn(move || {
        let equals = memchr::memchr(b'=', rest)?;
        let name = rest[..equals].trim_ascii();
        let after = rest[equals + 1..].trim_ascii_start();
        let (&quote, value) = after.split_first()?;
        if quote != b'"' && quote != b'\'' {
            return None;
        }
        let end = memchr::memchr(quote, value)?;
        rest = &value[end + 1..];
        Some((name, unescape(&value[..end])))
    })
}

/// Text with the five entities of XML and numbers resolved; others stay as they stand.
pub(in crate::jmeter) fn unescape(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    if !text.contains('&') {
        return text.into_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = &*text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let entity = rest.find(';').filter(|end| *end <= 10).and_then(|end| {
            let found = match &rest[1..end] {
                "amp" => '&',
                "lt" => '<',
                "gt" => '>',
                "quot" => '"',
                "apos" => '\'',
                other => {
                    let number = other.strip_prefix('#')?;
                    let code = match number.strip_prefix('x') {
                        Some(hex) => u32::from_str_radix(hex, 16),
                        None => number.parse(),
                    };
                    char::from_u32(code.ok()?)?
                }
            };
            Some((found, end + 1))
        });
        let (found, length) = entity.unwrap_or(('&', 1));
        out.push(found);
        rest = &rest[length..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn tokens(pieces: &[&[u8]]) -> Result<Vec<String>, ReadError> {
        let (mut tokens, mut found) = (Tokens::default(), Vec::<String>::new());
        for piece in pieces {
            tokens.push(piece, |token, _| {
                match token {
                    Token::Open(name, rest, empty) => found.push(format!(
                        "+{}{}{}",
                        String::from_utf8_lossy(name),
                        String::from_utf8_lossy(rest),
                        if empty { "/" } else { "" }
                    )),
                    Token::Close(name) => found.push(format!("-{}", String::from_utf8_lossy(name))),
                    Token::Text(text) => match found.last_mut() {
                        Some(last) if last.starts_with('=') => {
                            last.push_str(&String::from_utf8_lossy(text));
                        }
                        _ => found.push(format!("={}", String::from_utf8_lossy(text))),
                    },
                }
                Ok(())
            })?;
        }
        Ok(found)
    }

    const DOCUMENT: &str = "<?xml version=\"1.0\"?><!-- > --><a x=\"1 > 0\" y='\"'>text<b/></a>";

    #[test]
    fn tags_end_outside_of_quotes() {
        assert_eq!(
            tokens(&[DOCUMENT.as_bytes()]).unwrap(),
            ["+a x=\"1 > 0\" y='\"'", "=text", "+b/", "-a"]
        );
    }

    #[test]
    fn a_document_type_is_refused() {
        let error = tokens(&[b"<a/><!DOCTYPE x [<!ENTITY y \"z\">]>"]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "byte 4: a document type or CDATA, which JMeter does not write"
        );
    }

    #[test]
    fn attributes_and_entities_are_resolved() {
        let found: Vec<_> = attributes(b" a=\"x &amp; &#233;\" b='\"' ").collect();
        assert_eq!(
            found,
            [
                (&b"a"[..], "x & é".to_owned()),
                (&b"b"[..], "\"".to_owned())
            ]
        );
        assert_eq!(
            unescape(b"&bogus; & &#x41; &#xFFFFFFFF;"),
            "&bogus; & A &#xFFFFFFFF;"
        );
    }

    proptest! {
        #[test]
        fn cuts_change_nothing(cut in 0..DOCUMENT.len(), again in 0..DOCUMENT.len()) {
            let bytes = DOCUMENT.as_bytes();
            let (a, b) = (cut.min(again), cut.max(again));
            prop_assert_eq!(
                tokens(&[&bytes[..a], &bytes[a..b], &bytes[b..]]).unwrap(),
                tokens(&[bytes]).unwrap()
            );
        }

        #[test]
        fn anything_is_read_or_refused(text in "[<>/!?a=\"' &;#x-]{0,60}") {
            let _ = tokens(&[text.as_bytes()]);
            for _ in attributes(text.as_bytes()) {}
        }
    }
}
