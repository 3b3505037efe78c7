//! Content codings of responses (RFC 9110 §8.4.1), bounded in what they may grow to.

use super::exchange::ErrorCode;
use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use std::io::Read;

/// Undoes one coding; `identity` is a copy.
///
/// # Errors
/// [`ErrorCode::Decompression`] for an unknown coding or damaged data, [`ErrorCode::BodyTooLarge`] past `max` bytes.
pub fn decompress(coding: &str, body: &[u8], max: u64) -> Result<Vec<u8>, ErrorCode> {
    match coding {
        "identity" => Ok(body.to_vec()),
        "gzip" | "x-gzip" => bounded(MultiGzDecoder::new(body), max),
        // RFC 9110 means zlib; some servers send raw deflate, as all browsers accept
        "deflate" => match bounded(ZlibDecoder::new(body), max) {
            Err(ErrorCode::Decompression) => bounded(DeflateDecoder::new(body), max),
            done => done,
        },
        "br" => bounded(brotli::Decompressor::new(body, 4096), max),
        _ => Err(ErrorCode::Decompression),
    }
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

    fn codings(data: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
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
            ("gzip", gzip(data)),
            ("deflate", zlib.finish().unwrap()),
            ("deflate", raw.finish().unwrap()),
            ("br", br),
            ("identity", data.to_vec()),
        ]
    }

    #[test]
    fn every_coding_round_trips_within_its_bound() {
        let data = b"floodgate ".repeat(1000);
        for (coding, packed) in codings(&data) {
            assert_eq!(
                decompress(coding, &packed, 10_000).unwrap(),
                data,
                "{coding}"
            );
            if coding != "identity" {
                assert_eq!(
                    decompress(coding, &packed, 9_999),
                    Err(ErrorCode::BodyTooLarge),
                    "{coding}"
                );
                let half = &packed[..packed.len() / 2];
                assert_eq!(
                    decompress(coding, half, 10_000),
                    Err(ErrorCode::Decompression),
                    "{coding}"
                );
            }
        }
    }

    #[test]
    fn an_unknown_coding_is_a_fault() {
        assert_eq!(decompress("zstd", b"x", 10), Err(ErrorCode::Decompression));
        assert_eq!(
            decompress("gzip", b"not gzip", 10),
            Err(ErrorCode::Decompression)
        );
    }
}
