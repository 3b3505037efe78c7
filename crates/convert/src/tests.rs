//! Whole sources, from the first byte to a definition that is valid.

mod generated;
mod hostile;
mod sources;

use super::*;
use floodgate_core::definition::{Parsed, Resolver};
use floodgate_generator::preflight;
use std::path::Path;

/// A file among the fixtures.
pub(super) fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("fixtures")
            .join(name),
    )
    .unwrap()
}

/// Reads a definition as `floodgate validate` does: its text, then what a generator would refuse.
#[track_caller]
pub(super) fn validated(converted: &Converted) -> Parsed {
    let source = Source {
        name: "converted.yaml",
        text: converted.text.as_bytes(),
    };
    let parsed = parse(&source, &Overrides::default(), &LeftOpen)
        .unwrap_or_else(|faults| panic!("{faults}\n{}", converted.text));
    assert!(
        parsed.warnings.is_empty(),
        "{:?}\n{}",
        parsed.warnings,
        converted.text
    );
    let folder = tempfile::tempdir().unwrap();
    for (path, content) in &converted.files {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
    for file in parsed
        .files
        .iter()
        .filter(|file| !folder.path().join(file).exists())
    {
        let path = folder.path().join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "there before").unwrap();
    }
    // With values, or what they make of a request would not be looked at.
    let given = parse(&source, &Overrides::default(), &Given)
        .unwrap_or_else(|faults| panic!("{faults}\n{}", converted.text));
    let faults = preflight::faults(&given.definition, folder.path(), true);
    assert!(faults.is_empty(), "{faults:?}\n{}", converted.text);
    parsed
}

/// Converts, and holds what holds of every conversion: the same again, valid, text that can be shown.
#[track_caller]
pub(super) fn converted(source: &[u8], options: &Options<'_>) -> Converted {
    let first = convert(source, options).unwrap();
    let again = convert(source, options).unwrap();
    assert_eq!(
        (&first.text, &first.files),
        (&again.text, &again.files),
        "the same source gives the same definition"
    );
    validated(&first);
    assert_eq!(
        first.text,
        floodgate_records::printable::printable_lines(&first.text),
        "nothing that a terminal would obey"
    );
    first
}

pub(super) fn named(name: &str) -> Options<'static> {
    Options {
        name: name.to_owned(),
        ..Options::default()
    }
}

/// Where everything has a value.
struct Given;

impl Resolver for Given {
    fn env(&self, _: &str) -> Option<String> {
        Some("value".into())
    }

    fn secret(&self, _: &str) -> Result<String, String> {
        // As a URL may have it: what stands in a path is sent as it is.
        Ok("s3cret%20value+&=".into())
    }

    fn file_exists(&self, _: &str) -> bool {
        true
    }
}
