//! The parts of a binary log's records: numbers and strings, out of bytes that may end anywhere.

use std::ops::Range;

/// The longest string in bytes. Gatling cuts messages at 200 characters, and writes through a buffer of 8 KiB.
const LONGEST: i32 = 1 << 20;
/// The deepest nesting of groups, and the most scenarios and assertions.
const MOST: i32 = 10_000;

/// A string in a record: its number, and where it stands if it is new.
#[derive(Clone)]
pub(super) struct Text {
    pub(super) number: u32,
    pub(super) new: Option<Written>,
}

#[derive(Clone)]
pub(super) struct Written {
    pub(super) bytes: Range<usize>,
    pub(super) utf16: bool,
}

/// Why a record cannot be read.
pub(super) enum Fault {
    /// It goes on after what has been read.
    Cut,
    Malformed(String),
    Version(String),
}

impl Written {
    pub(super) fn decode(&self, bytes: &[u8]) -> String {
        let bytes = &bytes[self.bytes.clone()];
        if self.utf16 {
            let units = bytes
                .chunks_exact(2)
                .map(|two| u16::from_le_bytes([two[0], two[1]]));
            char::decode_utf16(units)
                .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
                .collect()
        } else {
            // Latin-1 is the first 256 characters of Unicode.
            bytes.iter().map(|&byte| char::from(byte)).collect()
        }
    }
}

/// Bytes, and how far they have been read.
pub(super) struct Input<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) at: usize,
}

impl<'a> Input<'a> {
    #[inline]
    pub(super) fn take(&mut self, length: usize) -> Result<&'a [u8], Fault> {
        let taken = self
            .bytes
            .get(self.at..self.at + length)
            .ok_or(Fault::Cut)?;
        self.at += length;
        Ok(taken)
    }

    #[inline]
    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        let taken = self.bytes[self.at..].first_chunk::<N>().ok_or(Fault::Cut)?;
        self.at += N;
        Ok(*taken)
    }

    #[inline]
    pub(super) fn byte(&mut self) -> Result<u8, Fault> {
        Ok(self.array::<1>()?[0])
    }

    #[inline]
    pub(super) fn int(&mut self) -> Result<i32, Fault> {
        Ok(i32::from_be_bytes(self.array()?))
    }

    pub(super) fn long(&mut self) -> Result<i64, Fault> {
        Ok(i64::from_be_bytes(self.array()?))
    }

    pub(super) fn count(&mut self) -> Result<i32, Fault> {
        let count = self.int()?;
        if !(0..=MOST).contains(&count) {
            return Err(Fault::Malformed(format!(
                "a list of {count} values; at most {MOST} are read"
            )));
        }
        Ok(count)
    }

    pub(super) fn length(&mut self) -> Result<usize, Fault> {
        let length = self.int()?;
        if !(0..=LONGEST).contains(&length) {
            return Err(Fault::Malformed(format!(
                "a value of {length} bytes; at most {LONGEST} are read"
            )));
        }
        Ok(length as usize)
    }

    pub(super) fn string(&mut self) -> Result<Written, Fault> {
        let length = self.length()?;
        let begin = self.at;
        self.take(length)?;
        let utf16 = length > 0
            && match self.byte()? {
                0 => false,
                1 => true,
                other => {
                    return Err(Fault::Malformed(format!(
                        "a string in encoding {other}; there are 0 and 1"
                    )));
                }
            };
        Ok(Written {
            bytes: begin..begin + length,
            utf16,
        })
    }

    pub(super) fn text(&mut self) -> Result<String, Fault> {
        Ok(self.string()?.decode(self.bytes))
    }

    #[inline]
    pub(super) fn cached(&mut self) -> Result<Text, Fault> {
        let number = self.int()?;
        if number < 0 {
            return Ok(Text {
                number: number.unsigned_abs(),
                new: None,
            });
        }
        if number == 0 {
            return Err(Fault::Malformed("string 0; they count from 1".into()));
        }
        Ok(Text {
            number: number as u32,
            new: Some(self.string()?),
        })
    }
}
