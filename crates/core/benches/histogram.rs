//! Recording and merging, beside the `hdrhistogram` crate.
#![allow(clippy::unwrap_used, missing_docs)]

use divan::{Bencher, black_box};
use floodgate_core::histogram::{Exact, Histogram};
use hdrhistogram::serialization::Deserializer;

fn main() {
    divan::main();
}

/// Lognormal µs around 5 ms, sigma 0.4.
fn values(n: usize) -> Vec<u64> {
    let mut random = fastrand::Rng::with_seed(7);
    let mut normal = || (0..12).map(|_| random.f64()).sum::<f64>() - 6.0;
    (0..n)
        .map(|_| (5_000.0 * (0.4 * normal()).exp()) as u64)
        .collect()
}

/// Histograms of 300 samples in V2 form, each with other samples.
fn encoded() -> Vec<(Exact, Vec<u8>)> {
    values(300 * 64)
        .chunks(300)
        .map(|values| {
            let mut h = Histogram::new();
            values.iter().for_each(|&v| h.record(v));
            let mut bytes = Vec::new();
            h.encode_v2(&mut bytes);
            (h.exact(), bytes)
        })
        .collect()
}

#[divan::bench]
fn record(bencher: Bencher<'_, '_>) {
    let values = values(4_096);
    let mut h = Histogram::new();
    bencher
        .counter(values.len())
        .bench_local(|| values.iter().for_each(|&v| h.record(black_box(v))));
}

#[divan::bench]
fn record_hdrhistogram(bencher: Bencher<'_, '_>) {
    let values = values(4_096);
    let mut h = hdrhistogram::Histogram::<u64>::new_with_bounds(1, 3_600_000_000, 3).unwrap();
    bencher
        .counter(values.len())
        .bench_local(|| values.iter().for_each(|&v| h.record(black_box(v)).unwrap()));
}

/// An item is one histogram of 300 samples, added as the merge does it: with its exact figures.
#[divan::bench]
fn merge_300(bencher: Bencher<'_, '_>) {
    let encoded = encoded();
    let mut h = Histogram::new();
    bencher.counter(encoded.len()).bench_local(|| {
        for (exact, bytes) in &encoded {
            h.add_encoded(*exact, 0, black_box(bytes)).unwrap();
        }
    });
}

#[divan::bench]
fn merge_300_hdrhistogram(bencher: Bencher<'_, '_>) {
    let encoded = encoded();
    let mut h = hdrhistogram::Histogram::<u64>::new_with_bounds(1, 3_600_000_000, 3).unwrap();
    let mut deserializer = Deserializer::new();
    bencher.counter(encoded.len()).bench_local(|| {
        for (_, bytes) in &encoded {
            let one: hdrhistogram::Histogram<u64> = deserializer
                .deserialize(&mut black_box(bytes.as_slice()))
                .unwrap();
            h.add(&one).unwrap();
        }
    });
}

/// A window's life in the recorder: 50 samples, encoded, cleared.
#[divan::bench]
fn window_of_50(bencher: Bencher<'_, '_>) {
    let values = values(50);
    let (mut h, mut out) = (Histogram::new(), Vec::new());
    bencher.bench_local(|| {
        values.iter().for_each(|&v| h.record(black_box(v)));
        out.clear();
        h.encode_v2(&mut out);
        h.clear();
    });
}

#[divan::bench]
fn quantile(bencher: Bencher<'_, '_>) {
    let mut h = Histogram::new();
    values(100_000).into_iter().for_each(|v| h.record(v));
    bencher.bench_local(|| h.quantile(black_box(0.99)));
}
