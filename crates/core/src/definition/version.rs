//! The version of a test: what was run, in one hash.

use floodgate_records::printable::hex;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// SHA-256 in lower-case hex of the normalised definition and the files that it names (relative path and content).
///
/// Each part goes in with its length ahead, so that no two different sets of parts give the same input; files are taken in
/// the order of their paths, whatever order they come in.
pub fn version<'a>(
    normalised: &Value,
    files: impl IntoIterator<Item = (&'a str, &'a [u8])>,
) -> String {
    let mut hash = Sha256::new();
    let mut part = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_be_bytes());
        hash.update(bytes);
    };
    part(normalised.to_string().as_bytes());
    let files: BTreeMap<_, _> = files.into_iter().collect();
    for (path, content) in &files {
        part(path.as_bytes());
        part(content);
    }
    hex(hash.finalize())
}
