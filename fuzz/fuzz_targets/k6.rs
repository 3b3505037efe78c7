//! Any bytes as k6's output, JSON or CSV, or as what `k6 inspect` prints. A reader must come to the same end however the bytes are cut,
//! and what it keeps stays within bounds.
#![no_main]

use floodgate_engines::collector::Settings;
use floodgate_engines::k6::{CsvReader, JsonReader, inspect};
use floodgate_engines::{Collector, ReadError, Reader};
use floodgate_records::metric::Tags;
use libfuzzer_sys::fuzz_target;
use std::collections::BTreeMap;

fn said(error: ReadError) -> String {
    error.to_string()
}

/// Reads in pieces of that many bytes: warnings, samples by series.
fn read(
    mut reader: impl Reader,
    bytes: &[u8],
    step: usize,
) -> Result<(Vec<String>, Vec<String>), String> {
    let mut into = Collector::new(Settings {
        origin_ms: 1_795_328_804_000,
        max_series: 50,
        folding: Default::default(),
        tags: Tags::new(),
    });
    for piece in bytes.chunks(step) {
        reader.push(piece, &mut into).map_err(said)?;
    }
    let warnings = reader.finish(&mut into).map_err(said)?;
    // One series a metric may be added past the bound, for what is folded into it.
    assert!(into.series_count() <= 100 + bytes.len() / 20);
    let mut rows = Vec::new();
    into.finish(&mut rows);
    let rows = rows
        .iter()
        .map(|row| format!("{} {} {} {}", row.key, row.time_ms, row.count, row.sum));
    Ok((warnings, rows.collect()))
}

fuzz_target!(|bytes: &[u8]| {
    let whole = read(JsonReader::new(), bytes, 1 << 20);
    assert_eq!(read(JsonReader::new(), bytes, 7), whole);
    let csv = || CsvReader::new(BTreeMap::new());
    let whole = read(csv(), bytes, 1 << 20);
    assert_eq!(read(csv(), bytes, 7), whole);
    if let Err(error) = inspect("fuzz.js", bytes) {
        assert!(error.to_string().starts_with("fuzz.js: "), "{error}");
    }
});
