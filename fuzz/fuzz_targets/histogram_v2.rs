//! Any bytes as an encoded histogram: refused and nothing changed, or added with the same counts as by hand.
#![no_main]

use floodgate_core::histogram::{Exact, Histogram, check_encoded};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut first = Histogram::new();
    first.record(1_000);
    let mut before = Vec::new();
    first.encode_v2(&mut before);
    if first.add_v2(bytes).is_err() {
        let mut after = Vec::new();
        first.encode_v2(&mut after);
        assert_eq!(after, before, "what is refused leaves nothing behind");
        let exact = Exact {
            count: 1,
            sum: 1_000,
            min: 1_000,
            max: 1_000,
        };
        assert!(first.clone().add_encoded(exact, 0, bytes).is_err());
        return;
    }
    let mut alone = Histogram::new();
    alone
        .add_v2(bytes)
        .expect("it was accepted with one sample more");
    let mut encoded = Vec::new();
    alone.encode_v2(&mut encoded);
    let mut again = Histogram::new();
    again.add_v2(&encoded).expect("what is written can be read");
    assert_eq!(
        again.buckets().collect::<Vec<_>>(),
        alone.buckets().collect::<Vec<_>>()
    );
    assert_eq!(first.count(), alone.count() + 1);
    for q in [0.0, 0.5, 0.99, 1.0] {
        assert!(alone.quantile(q) <= alone.max());
    }
    let exact = Exact {
        count: alone.count(),
        sum: alone.sum(),
        min: alone.min(),
        max: alone.max(),
    };
    let accepted = check_encoded(exact, 0, bytes).is_ok();
    assert_eq!(
        Histogram::new().add_encoded(exact, 0, bytes).is_ok(),
        accepted
    );
});
