//! The chunked transfer coding (RFC 9112 §7.1), strictly: sizes in hexadecimal, CRLF and nothing else at the end of a
//! line, bounded extensions and trailers. Pure: it neither reads nor keeps the data.

/// The longest line of a chunk's size with its extensions, in bytes.
const MAX_SIZE_LINE: u32 = 4 * 1024;
/// The largest trailer section, in bytes.
const MAX_TRAILERS: u32 = 64 * 1024;

/// Why a chunked body is not valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChunkError {
    /// The size is missing, not hexadecimal, or larger than 64 bits.
    #[error("the size of a chunk is not a hexadecimal number below 2^64")]
    Size,
    /// A line or a chunk does not end with CRLF.
    #[error("a chunk or its size does not end with CR LF")]
    LineEnd,
    /// The size line with its extensions exceeds 4 KiB, or has a control character in it.
    #[error("the extension of a chunk is longer than {MAX_SIZE_LINE} bytes or not text")]
    Extension,
    /// The trailers exceed 64 KiB or are not header lines.
    #[error("the trailers are longer than {MAX_TRAILERS} bytes or not header lines")]
    Trailer,
}

/// What [`Decoder::decode`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decoded {
    /// Bytes of the input that belong to the body; fewer than given only if the body ended.
    pub consumed: usize,
    /// Whether the body, with its trailers, ended.
    pub done: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Before the first digit.
    SizeStart,
    Size,
    /// After blanks, before `;` or the end of the line.
    SizeBlank,
    Extension,
    SizeLf,
    Data,
    DataCr,
    DataLf,
    TrailerStart,
    TrailerName,
    TrailerValue,
    TrailerLf,
    EndLf,
    Done,
}

/// A decoder that takes the input in pieces of any size.
#[derive(Clone, Debug)]
pub struct Decoder {
    state: State,
    /// What is left of the chunk, or its size while that is read.
    left: u64,
    /// Bytes of the current line, or of all trailers.
    line: u32,
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new()
    }
}

impl Decoder {
    /// At the start of a body.
    pub fn new() -> Self {
        Self {
            state: State::SizeStart,
            left: 0,
            line: 0,
        }
    }

    /// Decodes a piece; the data in it goes to `sink`, in order, possibly in several calls.
    ///
    /// # Errors
    /// What `sink` returns, or a [`ChunkError`]; the decoder must not be used after that.
    pub fn decode<E: From<ChunkError>>(
        &mut self,
        input: &[u8],
        mut sink: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<Decoded, E> {
        let mut at = 0;
        while at < input.len() && self.state != State::Done {
            if self.state == State::Data {
                let rest = &input[at..];
                let take =
                    usize::try_from(self.left).map_or(rest.len(), |left| left.min(rest.len()));
                sink(&rest[..take])?;
                self.left -= take as u64;
                at += take;
                if self.left == 0 {
                    self.state = State::DataCr;
                }
            } else {
                self.step(input[at])?;
                at += 1;
            }
        }
        Ok(Decoded {
            consumed: at,
            done: self.state == State::Done,
        })
    }

    /// One byte outside of the data.
    fn step(&mut self, byte: u8) -> Result<(), ChunkError> {
        self.line += 1;
        self.state = match (self.state, byte) {
            (State::SizeStart | State::Size, b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') => {
                let digit = (byte as char).to_digit(16).ok_or(ChunkError::Size)?;
                // leading zeros are legal, but an endless row of them is not
                if self.left >> 60 != 0 || self.line > MAX_SIZE_LINE {
                    return Err(ChunkError::Size);
                }
                self.left = self.left << 4 | u64::from(digit);
                State::Size
            }
            (State::Size | State::SizeBlank, b'\r') | (State::Extension, b'\r') => State::SizeLf,
            (State::Size | State::SizeBlank, b' ' | b'\t') if self.line <= MAX_SIZE_LINE => {
                State::SizeBlank
            }
            (State::Size | State::SizeBlank, b';') => State::Extension,
            (State::SizeStart | State::Size | State::SizeBlank, b'\n') => {
                return Err(ChunkError::LineEnd);
            }
            (State::SizeStart | State::Size | State::SizeBlank, _) => return Err(ChunkError::Size),
            (State::Extension, b'\t' | b' '..=b'~' | 0x80..) if self.line <= MAX_SIZE_LINE => {
                State::Extension
            }
            (State::Extension, _) => return Err(ChunkError::Extension),
            (State::SizeLf, b'\n') => {
                self.line = 0;
                if self.left == 0 {
                    State::TrailerStart
                } else {
                    State::Data
                }
            }
            (State::DataCr, b'\r') => State::DataLf,
            (State::DataLf, b'\n') => {
                self.line = 0;
                State::SizeStart
            }
            (State::SizeLf | State::DataCr | State::DataLf, _) => return Err(ChunkError::LineEnd),
            (_, _) if self.line > MAX_TRAILERS => return Err(ChunkError::Trailer),
            (State::TrailerStart, b'\r') => State::EndLf,
            // folded to the line before it (RFC 9112 §5.2)
            (State::TrailerStart, b' ' | b'\t') if self.line > 1 => State::TrailerValue,
            (State::TrailerStart | State::TrailerName, byte) if is_token(byte) => {
                State::TrailerName
            }
            (State::TrailerName, b':') => State::TrailerValue,
            (State::TrailerValue, b'\t' | b' '..=b'~' | 0x80..) => State::TrailerValue,
            (State::TrailerValue, b'\r') => State::TrailerLf,
            (State::TrailerLf, b'\n') => State::TrailerStart,
            (State::EndLf, b'\n') => State::Done,
            _ => return Err(ChunkError::Trailer),
        };
        Ok(())
    }
}

/// A token character (RFC 9110 §5.6.2).
pub(super) fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn all(input: &[u8], piece: usize) -> Result<(Vec<u8>, usize, bool), ChunkError> {
        let (mut decoder, mut out, mut used, mut done) = (Decoder::new(), Vec::new(), 0, false);
        for part in input.chunks(piece) {
            let decoded = decoder.decode(part, |data| {
                out.extend_from_slice(data);
                Ok::<_, ChunkError>(())
            })?;
            used += decoded.consumed;
            done = decoded.done;
            if done {
                break;
            }
            assert_eq!(decoded.consumed, part.len());
        }
        Ok((out, used, done))
    }

    #[test]
    fn bodies_decode_whatever_the_pieces() {
        let input = b"5;a=\"b\"\r\nhello\r\n006 \t\r\n world\r\nA\r\n0123456789\r\n0\r\nX-T: 1\r\n two\r\nY:\r\n\r\nHTTP";
        for piece in 1..=input.len() {
            let (out, used, done) = all(input, piece).unwrap();
            assert_eq!(
                (out.as_slice(), used, done),
                (&b"hello world0123456789"[..], input.len() - 4, true)
            );
        }
    }

    #[test]
    fn an_incomplete_body_is_not_done() {
        let input = b"3\r\nabc\r\n0\r\n\r\n";
        for end in 0..input.len() {
            assert!(!all(&input[..end], 64).unwrap().2, "{end}");
        }
    }

    #[test]
    fn faults_are_told_apart() {
        let case = |input: &[u8]| all(input, 7).unwrap_err();
        assert_eq!(case(b"\r\n"), ChunkError::Size);
        assert_eq!(case(b"g\r\n"), ChunkError::Size);
        assert_eq!(case(b" 1\r\n"), ChunkError::Size);
        assert_eq!(case(b"-1\r\n"), ChunkError::Size);
        assert_eq!(case(b"0x1\r\n"), ChunkError::Size);
        assert_eq!(case(b"1 2\r\n"), ChunkError::Size);
        assert_eq!(case(b"10000000000000000\r\n"), ChunkError::Size);
        assert_eq!(case(b"1\nx\r\n"), ChunkError::LineEnd);
        assert_eq!(case(b"1\rx"), ChunkError::LineEnd);
        assert_eq!(case(b"1\r\nxy"), ChunkError::LineEnd);
        assert_eq!(case(b"1\r\nx\ry"), ChunkError::LineEnd);
        assert_eq!(case(b"1;\0\r\n"), ChunkError::Extension);
        assert_eq!(case(b"0\r\nno colon\r\n\r\n"), ChunkError::Trailer);
        assert_eq!(case(b"0\r\n a: b\r\n\r\n"), ChunkError::Trailer);
        assert_eq!(
            case(&[b"1;".to_vec(), vec![b'x'; 5000]].concat()),
            ChunkError::Extension
        );
        assert_eq!(case(&vec![b'0'; 5000]), ChunkError::Size);
        assert_eq!(
            case(&[b"0\r\n".to_vec(), b"a: b\r\n".repeat(20_000)].concat()),
            ChunkError::Trailer
        );
    }

    #[test]
    fn the_largest_size_is_not_too_large() {
        assert_eq!(
            all(b"ffffffffffffffff\r\nabc", 64).unwrap(),
            (b"abc".to_vec(), 21, false)
        );
    }

    proptest! {
        #[test]
        fn what_is_encoded_decodes(chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..300), 0..8), piece in 1usize..400) {
            let mut wire = Vec::new();
            for chunk in &chunks {
                wire.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
                wire.extend_from_slice(chunk);
                wire.extend_from_slice(b"\r\n");
            }
            wire.extend_from_slice(b"0\r\n\r\n");
            prop_assert_eq!(all(&wire, piece).unwrap(), (chunks.concat(), wire.len(), true));
        }

        #[test]
        fn junk_never_panics_and_pieces_never_matter(input in prop::collection::vec(prop_oneof![Just(b'\r'), Just(b'\n'), Just(b'0'), Just(b'2'), any::<u8>()], 0..60)) {
            let whole = all(&input, 1000);
            let single = all(&input, 1);
            prop_assert_eq!(whole.is_err(), single.is_err());
            if let (Ok(whole), Ok(single)) = (whole, single) {
                prop_assert_eq!(whole, single);
            }
        }
    }
}
