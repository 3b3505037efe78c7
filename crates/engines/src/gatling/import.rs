//! Logs that were written elsewhere.

use super::read::reader;
use crate::read::Reader;

/// A reader for a log that was written elsewhere, recognised by its first bytes; `None` if they are not a log's.
pub fn import(head: &[u8]) -> Option<Box<dyn Reader>> {
    // Binary logs begin with a record of type 0 and the version's length and text; text logs with `RUN` or, before it, assertions.
    let version = || head.get(5..).is_some_and(|rest| rest.starts_with(b"3."));
    let binary = head.first() == Some(&0) && version();
    let text = [&b"RUN\t"[..], b"ASSERTION\t"]
        .iter()
        .any(|word| head.starts_with(word));
    (binary || text).then(reader)
}
