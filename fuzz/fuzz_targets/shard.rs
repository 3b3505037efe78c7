//! Any bytes as a shard. The checksum in the footer is made right first, so that the fuzzer gets behind it: the
//! checksum is not a signature, whoever writes to the store can make it right.
#![no_main]

use floodgate_core::shard::{decode, encode};
use libfuzzer_sys::fuzz_target;
use sha2::{Digest, Sha256};
use std::ops::Range;
use std::sync::Once;

/// The key of the checksum in the footer's metadata, and what stands in its place while it is computed.
const KEY: &[u8] = b"floodgate.checksum";
const PLACEHOLDER: &[u8] = b"0000000000000000";

/// `decode` turns a panic into an error. The fuzzer's own hook would abort before; without it every panic that gets
/// out of the target is still a finding.
static PANICS_UNWIND: Once = Once::new();

fuzz_target!(|bytes: &[u8]| {
    PANICS_UNWIND.call_once(|| std::panic::set_hook(Box::new(|_| ())));
    let mut bytes = bytes.to_vec();
    if let Some(place) = place(&bytes) {
        bytes[place.clone()].copy_from_slice(PLACEHOLDER);
        let sum: String = Sha256::digest(&bytes)
            .iter()
            .take(8)
            .map(|b| format!("{b:02x}"))
            .collect();
        bytes[place].copy_from_slice(sum.as_bytes());
    }
    let Ok(shard) = decode(&bytes) else {
        return;
    };
    // What was accepted can be written, and is the same then.
    if let Ok(again) = encode(&shard.meta, &shard.rows) {
        let again = decode(&again).expect("what is written can be read");
        assert_eq!(again.rows.len(), shard.rows.len());
    }
});

fn place(bytes: &[u8]) -> Option<Range<usize>> {
    let tail = bytes.last_chunk::<8>()?;
    let length = u32::from_le_bytes([tail[0], tail[1], tail[2], tail[3]]) as usize;
    let footer = bytes.len().checked_sub(length.checked_add(8)?)?;
    let key = bytes[footer..]
        .windows(KEY.len())
        .rposition(|window| window == KEY)?;
    let start = footer + key + KEY.len() + 2;
    (start + PLACEHOLDER.len() <= bytes.len()).then_some(start..start + PLACEHOLDER.len())
}
