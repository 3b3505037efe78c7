//! Any bytes as a chunked body, at once and byte by byte: the same data, the same end, the same fault.
#![no_main]

use floodgate_generator::http::chunked::{ChunkError, Decoder};
use libfuzzer_sys::fuzz_target;

/// Data, bytes consumed, and whether it ended.
type Outcome = Result<(Vec<u8>, usize, bool), ChunkError>;

fn decode(input: &[u8], piece: usize) -> Outcome {
    let mut decoder = Decoder::new();
    let (mut data, mut consumed) = (Vec::new(), 0);
    for part in input.chunks(piece) {
        let decoded = decoder.decode(part, |bytes| {
            data.extend_from_slice(bytes);
            Ok::<_, ChunkError>(())
        })?;
        consumed += decoded.consumed;
        if decoded.done {
            return Ok((data, consumed, true));
        }
        assert_eq!(decoded.consumed, part.len());
    }
    Ok((data, consumed, false))
}

fuzz_target!(|input: &[u8]| {
    let whole = decode(input, input.len().max(1));
    assert_eq!(whole, decode(input, 1));
    assert_eq!(whole, decode(input, 3));
});
