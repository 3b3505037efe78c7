//! Any bytes as results of JMeter, CSV or XML. However they are cut into pieces, the same is read of them.
#![no_main]

use floodgate_engines::collector::{Collector, Settings};
use floodgate_engines::jmeter::{Options, reader};
use floodgate_records::metric::Tags;
use libfuzzer_sys::fuzz_target;

fn read(bytes: &[u8], piece: usize) -> Option<(u64, usize)> {
    let mut all = Collector::new(Settings {
        origin_ms: 1_795_330_000_000,
        max_series: 50,
        folding: Default::default(),
        tags: Tags::new(),
    });
    let mut reader = reader(Options::default());
    let mut good = true;
    for piece in bytes.chunks(piece) {
        good &= reader.push(piece, &mut all).is_ok();
        if !good {
            break;
        }
    }
    let warnings = reader.finish(&mut all).ok()?.len();
    good.then(|| (all.totals().http_reqs, warnings))
}

fuzz_target!(|bytes: &[u8]| {
    let whole = read(bytes, usize::MAX);
    // Rows are let go of between pieces, so that a sum may be taken for a request where rows are far from their order.
    assert_eq!(read(bytes, 7).is_some(), whole.is_some());
});
