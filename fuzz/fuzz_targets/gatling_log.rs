//! Any bytes as Gatling's `simulation.log`, text and binary, and as an assertion in one. The first two bytes say where the rest
//! is cut: however it comes, it gives the same samples or the same error.
#![no_main]

use floodgate_engines::collector::Settings;
use floodgate_engines::gatling::{reader, unpickle};
use floodgate_engines::{Collector, ReadError};
use floodgate_records::metric::Tags;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = unpickle(bytes);
    let Some((cut, log)) = bytes.split_first_chunk::<2>() else {
        return;
    };
    let cut = usize::from(u16::from_le_bytes(*cut)).min(log.len());
    let whole = read(&[log]);
    let parts = read(&[&log[..cut], &log[cut..]]);
    assert_eq!(whole, parts);
});

fn said(error: ReadError) -> String {
    error.to_string()
}

/// The requests and iterations that were counted, and how many series there are.
fn read(pieces: &[&[u8]]) -> Result<(u64, u64, usize), String> {
    let mut into = Collector::new(Settings {
        origin_ms: 1_795_330_000_000,
        max_series: 50,
        folding: Default::default(),
        tags: Tags::new(),
    });
    let mut reader = reader();
    for piece in pieces {
        reader.push(piece, &mut into).map_err(said)?;
    }
    reader.finish(&mut into).map_err(said)?;
    let totals = into.totals();
    Ok((totals.http_reqs, totals.iterations, into.series_count()))
}
