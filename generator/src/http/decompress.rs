//! Content codings of responses (RFC 9110 §8.4.1), bounded in what they may grow to.

use crate::exchange::ErrorCode;
use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use std::io::Read;

/// The most codings that are undone, one after the other; nobody applies more than two.
pub const MAX_CODINGS: usize = 5;
/// The largest zstd window, as a power of two: 8 MiB, as RFC 9659 has it for this content coding.
const ZSTD_WINDOW_LOG: u32 = 23;

/// A content coding that can be undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// None at all.
    Identity,
    /// RFC 1952.
    Gzip,
    /// RFC 1950, or RFC 1951 without its frame.
    Deflate,
    /// RFC 7932.
    Brotli,
    /// RFC 8878.
    Zstd,
}

impl Coding {
    /// The coding of a name, without regard to case; `None` if it is not known here.
    pub fn named(name: &[u8]) -> Option<Self> {
        const NAMES: [(&str, Coding); 6] = [
            ("identity", Coding::Identity),
            ("gzip", Coding::Gzip),
            ("x-gzip", Coding::Gzip),
            ("deflate", Coding::Deflate),
            ("br", Coding::Brotli),
            ("zstd", Coding::Zstd),
        ];
        NAMES
            .iter()
            .find(|(known, _)| name.eq_ignore_ascii_case(known.as_bytes()))
            .map(|&(_, coding)| coding)
    }
}

/// The codings that a request asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Accepted(u8);

impl Accepted {
    /// Takes in a field `Accept-Encoding` (RFC 9110 §12.5.3).
    pub fn add(&mut self, value: &[u8]) {
        for item in value.split(|&byte| byte == b',') {
            let mut parts = item.split(|&byte| byte == b';').map(<[u8]>::trim_ascii);
            let name = parts.next().unwrap_or_default();
            let refused = parts
                .any(|part| matches!(part, b"q=0" | b"q=0." | b"q=0.0" | b"q=0.00" | b"q=0.000"));
            if refused {
                continue;
            }
            if name == b"*" {
                self.0 = u8::MAX;
            } else if let Some(coding) = Coding::named(name) {
                self.0 |= 1 << coding as u8;
            }
        }
    }

    /// Whether it was asked for.
    pub fn has(self, coding: Coding) -> bool {
        coding == Coding::Identity || self.0 & 1 << coding as u8 != 0
    }
}

/// Undoes one coding; [`Coding::Identity`] is a copy.
///
/// # Errors
/// [`ErrorCode::Decompression`] for damaged data, [`ErrorCode::BodyTooLarge`] past `max` bytes.
pub fn decompress(coding: Coding, body: &[u8], max: u64) -> Result<Vec<u8>, ErrorCode> {
    match coding {
        Coding::Identity => Ok(body.to_vec()),
        Coding::Gzip => bounded(MultiGzDecoder::new(body), max),
        // RFC 9110 means zlib; some servers send raw deflate, as all browsers accept
        Coding::Deflate => match bounded(ZlibDecoder::new(body), max) {
            Err(ErrorCode::Decompression) => bounded(DeflateDecoder::new(body), max),
            done => done,
        },
        Coding::Brotli => bounded(brotli::Decompressor::new(body, 4096), max),
        Coding::Zstd => bounded(zstd(body).map_err(|_| ErrorCode::Decompression)?, max),
    }
}

fn zstd(body: &[u8]) -> std::io::Result<impl Read> {
    let mut decoder = zstd::stream::read::Decoder::with_buffer(body)?;
    decoder.window_log_max(ZSTD_WINDOW_LOG)?;
    Ok(decoder)
}

fn bounded(reader: impl Read, max: u64) -> Result<Vec<u8>, ErrorCode> {
    let mut out = Vec::new();
    reader
        .take(max.saturating_add(1))
        .read_to_end(&mut out)
        .map_err(|_| ErrorCode::Decompression)?;
    if out.len() as u64 > max {
        Err(ErrorCode::BodyTooLarge)
    } else {
        Ok(out)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(super) mod tests {
    use super::*;
    use flate2::Compression;
    use std::io::Write;

    pub(in crate::http) fn gzip(data: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(data).unwrap();
        encoder.finish().unwrap()
    }

    fn codings(data: &[u8]) -> Vec<(Coding, Vec<u8>)> {
        let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), Compression::default());
        zlib.write_all(data).unwrap();
        let mut raw = flate2::write::DeflateEncoder::new(Vec::new(), Compression::default());
        raw.write_all(data).unwrap();
        let mut br = Vec::new();
        brotli::BrotliCompress(
            &mut &data[..],
            &mut br,
            &brotli::enc::BrotliEncoderParams::default(),
        )
        .unwrap();
        vec![
            (Coding::Gzip, gzip(data)),
            (Coding::Deflate, zlib.finish().unwrap()),
            (Coding::Deflate, raw.finish().unwrap()),
            (Coding::Brotli, br),
            (Coding::Zstd, zstd::encode_all(data, 3).unwrap()),
            (Coding::Identity, data.to_vec()),
        ]
    }

    #[test]
    fn every_coding_round_trips_within_its_bound() {
        let data = b"floodgate ".repeat(1000);
        for (coding, packed) in codings(&data) {
            assert_eq!(
                decompress(coding, &packed, 10_000).unwrap(),
                data,
                "{coding:?}"
            );
            if coding != Coding::Identity {
                assert_eq!(
                    decompress(coding, &packed, 9_999),
                    Err(ErrorCode::BodyTooLarge),
                    "{coding:?}"
                );
                let half = &packed[..packed.len() / 2];
                assert_eq!(
                    decompress(coding, half, 10_000),
                    Err(ErrorCode::Decompression),
                    "{coding:?}"
                );
            }
        }
    }

    #[test]
    fn what_is_damaged_is_a_fault() {
        for coding in [Coding::Gzip, Coding::Deflate, Coding::Brotli, Coding::Zstd] {
            let done = decompress(coding, b"none of them", 10);
            assert_eq!(done, Err(ErrorCode::Decompression), "{coding:?}");
        }
    }

    /// A window of 128 MiB would be had for the asking: a frame's first bytes.
    #[test]
    fn a_zstd_window_is_bounded() {
        let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
        encoder.window_log(ZSTD_WINDOW_LOG + 1).unwrap();
        encoder.write_all(b"small").unwrap();
        let done = decompress(Coding::Zstd, &encoder.finish().unwrap(), 100);
        assert_eq!(done, Err(ErrorCode::Decompression));
    }

    #[test]
    fn what_is_asked_for() {
        let accepted = |value: &str| {
            let mut accepted = Accepted::default();
            accepted.add(value.as_bytes());
            let all = [Coding::Gzip, Coding::Deflate, Coding::Brotli, Coding::Zstd];
            all.map(|coding| accepted.has(coding))
        };
        assert_eq!(accepted(""), [false; 4]);
        assert_eq!(accepted("gzip, BR;q=0.5"), [true, false, true, false]);
        assert_eq!(
            accepted("x-gzip,zstd ; q=1,compress"),
            [true, false, false, true]
        );
        assert_eq!(
            accepted("gzip;q=0, deflate; q=0.000, br"),
            [false, false, true, false]
        );
        assert_eq!(accepted("*"), [true; 4]);
        assert!(Accepted::default().has(Coding::Identity));
    }
}
