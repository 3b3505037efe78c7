//! What recording costs a request: from the exchange to the cells of the current second.

#![allow(missing_docs)]

use divan::{Bencher, black_box};
use floodgate_core::fold::Folding;
use floodgate_generator::exchange::Exchange;
use floodgate_generator::http::exchange::{HttpExchange, Timings};
use floodgate_generator::recorder::{Record, SeriesBudget, WorkerRecorder};
use floodgate_records::metric::Tags;
use std::sync::Arc;
use std::sync::mpsc::channel;

/// Between the ends of two requests of a worker, in ns: 100,000 a second.
const APART: u64 = 10_000;

fn main() {
    divan::main();
}

/// On a connection that is used again, the response in one read.
#[divan::bench]
fn of_a_kept_connection(bencher: Bencher<'_, '_>) {
    run(
        bencher,
        Timings {
            sending: 3_000,
            waiting: 200_000,
            ..Timings::default()
        },
    );
}

/// With all phases.
#[divan::bench]
fn of_a_new_connection(bencher: Bencher<'_, '_>) {
    run(
        bencher,
        Timings {
            blocked: 500_000,
            looking_up: 1_000,
            connecting: 90_000,
            tls: 400_000,
            sending: 3_000,
            waiting: 200_000,
            receiving: 7_000,
            ..Timings::default()
        },
    );
}

fn run(bencher: Bencher<'_, '_>, timings: Timings) {
    let (to_flusher, windows) = channel();
    let (back, recycled) = channel();
    let budget = Arc::new(SeriesBudget::new(100, Folding::default()));
    let mut recorder = WorkerRecorder::new(0, 0, budget, to_flusher, recycled);
    let series = ["/", "/cart", "/item", "/pay"].map(|name| {
        let tags = Tags::new().with("name", name);
        recorder.request_series(HttpExchange::PROTOCOL, &tags)
    });
    let mut number = 0;
    bencher.bench_local(|| {
        number += 1;
        let end = number * APART;
        let exchange = HttpExchange {
            timings: Timings {
                begin: end.saturating_sub(210_000),
                end,
                // Times differ, so that no branch and no bucket is guessed.
                waiting: timings.waiting + number * 7_919 % 1_000_000,
                ..timings
            },
            status: 200,
            sent: 100,
            received: 1_000,
            ..HttpExchange::default()
        };
        let series = series[number as usize % series.len()];
        recorder.request(series, black_box(&exchange), end - APART / 2, true);
        // The flusher's part: a window comes back cleared.
        if let Ok(mut closed) = windows.try_recv() {
            closed.window.clear();
            let _ = back.send(closed.window);
        }
    });
}
