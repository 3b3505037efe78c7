//! Sources as UTF-8, whatever they were saved as.

use crate::sniff::WINDOW;
use std::io::{BufRead, BufReader, Cursor, Read, Result};

/// The mark that some editors put before a text.
const MARK: char = '\u{feff}';

/// A source without a byte order mark, its first [`WINDOW`] bytes in one piece. UTF-16, which tools of Windows write, becomes UTF-8.
pub(crate) fn as_utf8<'a>(mut source: impl Read + 'a) -> Result<Box<dyn BufRead + 'a>> {
    let mut head = Vec::new();
    source.by_ref().take(WINDOW as u64).read_to_end(&mut head)?;
    let unit: fn([u8; 2]) -> u16 = match *head {
        [0xff, 0xfe, ..] => u16::from_le_bytes,
        [0xfe, 0xff, ..] => u16::from_be_bytes,
        // Neither a recording nor a command begins with a NUL, or has one behind its first character.
        [first, 0, ..] if first != 0 => u16::from_le_bytes,
        [0, second, ..] if second != 0 => u16::from_be_bytes,
        _ => {
            let mark = MARK.to_string();
            let start = if head.starts_with(mark.as_bytes()) {
                mark.len()
            } else {
                0
            };
            let whole = Cursor::new(head.split_off(start)).chain(source);
            return Ok(Box::new(BufReader::with_capacity(WINDOW, whole)));
        }
    };
    let whole = Utf16 {
        source: Cursor::new(head).chain(source),
        unit,
        half: None,
        high: None,
        ready: Vec::new(),
        given: 0,
        first: true,
        ended: false,
    };
    Ok(Box::new(BufReader::with_capacity(WINDOW, whole)))
}

/// UTF-16 on its way to UTF-8; halves of surrogate pairs become U+FFFD.
struct Utf16<R> {
    source: R,
    unit: fn([u8; 2]) -> u16,
    /// The first byte of a unit.
    half: Option<u8>,
    /// The first unit of a pair.
    high: Option<u16>,
    ready: Vec<u8>,
    given: usize,
    /// Whether nothing has been read: a mark may be there.
    first: bool,
    ended: bool,
}

impl<R: Read> Utf16<R> {
    fn fill(&mut self) -> Result<()> {
        self.ready.clear();
        self.given = 0;
        let mut chunk = [0; 8 << 10];
        while self.ready.is_empty() && !self.ended {
            let n = self.source.read(&mut chunk)?;
            let mut units: Vec<u16> = self.high.take().into_iter().collect();
            for &byte in &chunk[..n] {
                match self.half.take() {
                    Some(first) => units.push((self.unit)([first, byte])),
                    None => self.half = Some(byte),
                }
            }
            self.ended = n == 0;
            if self.ended {
                // Half of a unit is half of nothing.
                units.extend(self.half.take().map(|_| 0xdc00));
            } else {
                self.high = units.pop_if(|unit| (0xd800..0xdc00).contains(unit));
            }
            for c in char::decode_utf16(units) {
                let c = c.unwrap_or(char::REPLACEMENT_CHARACTER);
                if !(std::mem::take(&mut self.first) && c == MARK) {
                    self.ready
                        .extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                }
            }
        }
        Ok(())
    }
}

impl<R: Read> Read for Utf16<R> {
    fn read(&mut self, into: &mut [u8]) -> Result<usize> {
        if self.given == self.ready.len() {
            self.fill()?;
        }
        let n = into.len().min(self.ready.len() - self.given);
        into[..n].copy_from_slice(&self.ready[self.given..self.given + n]);
        self.given += n;
        Ok(n)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(bytes: &[u8]) -> String {
        let mut text = String::new();
        as_utf8(bytes).unwrap().read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn half_of_a_character_is_replaced() {
        assert_eq!(read(b"\xff\xfe{\0\x3d\xd8"), "{\u{fffd}");
        assert_eq!(read(b"\xff\xfe{\0}"), "{\u{fffd}");
        assert_eq!(read(b""), "");
    }

    proptest! {
        #[test]
        fn a_text_is_the_same_however_it_is_saved(text in "[{c][a-zé\u{1f600}]{0,40}", times in 1_usize..900) {
            let text = format!("{{{}", text.repeat(times));
            let bytes = |bytes: fn(u16) -> [u8; 2], mark: &str| -> Vec<u8> {
                format!("{mark}{text}").encode_utf16().flat_map(bytes).collect()
            };
            for saved in [
                text.as_bytes().to_vec(),
                format!("\u{feff}{text}").into_bytes(),
                bytes(u16::to_le_bytes, "\u{feff}"),
                bytes(u16::to_be_bytes, "\u{feff}"),
                bytes(u16::to_le_bytes, ""),
                bytes(u16::to_be_bytes, ""),
            ] {
                prop_assert_eq!(&read(&saved), &text);
            }
        }
    }
}
