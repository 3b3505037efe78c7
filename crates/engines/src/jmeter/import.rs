//! Results that were made elsewhere.

use super::read::{Options, reader};
use crate::read::Reader;

/// A reader of results that were made elsewhere, told by their beginning: XML, CSV with a header, or CSV that begins with a sample; `None`
/// if it is none of them.
pub fn import(head: &[u8]) -> Option<Box<dyn Reader>> {
    let line = head.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let line = String::from_utf8_lossy(line);
    let line = line.trim_start_matches('\u{feff}').trim();
    let xml = line.starts_with("<?xml") || line.starts_with("<testResults");
    let header = line.contains("timeStamp") && line.contains("elapsed");
    // Milliseconds since 1970 have 13 digits until 2286.
    let mut fields = line.split(',');
    let number = |field: Option<&str>, digits: usize| {
        field.is_some_and(|f| f.len() >= digits && f.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let sample = number(fields.next(), 13) && number(fields.next(), 1) && fields.count() >= 5;
    (xml || header || sample).then(|| reader(Options::default()))
}
