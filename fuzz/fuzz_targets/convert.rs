//! Any bytes as a recording, as commands, as a document: a definition that is valid, or a reason.
#![no_main]

use floodgate_convert::{ConvertError, Format, Options, convert};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|source: &[u8]| {
    let formats = [
        None,
        Some(Format::Har),
        Some(Format::Curl),
        Some(Format::OpenApi),
    ];
    for format in formats {
        let options = Options {
            format,
            ..Options::default()
        };
        match convert(source, &options) {
            Ok(made) => assert!(floodgate_fuzz::definition(made.text.as_bytes()).is_some()),
            Err(ConvertError::Unwritable(faults)) => panic!("{faults}"),
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
});
