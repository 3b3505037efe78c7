//! How fast logs are read into a collector: items are records.
//!
//! `cargo bench -p floodgate-engines --bench gatling`
#![allow(
    missing_docs,
    reason = "the macros of divan make items without documentation"
)]

use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};
use floodgate_engines::Collector;
use floodgate_engines::collector::Settings;
use floodgate_engines::gatling::reader;
use floodgate_records::metric::Tags;

const START_MS: i64 = 1_795_330_000_000;
const RECORDS: usize = 200_000;
/// How much is read at a time.
const PIECE: usize = 64 * 1024;

fn main() {
    divan::main();
}

/// Requests of four names, every other in a group, one in a hundred failed, and each tenth record a user's start or end.
fn records() -> impl Iterator<Item = Record> {
    (0..RECORDS).map(|i| match i % 10 {
        9 => Record::User(i / 10 % 2 == 0, (i / 20) as i32),
        kind => Record::Request {
            grouped: kind % 2 == 0,
            name: kind % 4,
            start: (i / 20) as i32,
            took: 3 + (i * 7_919 % 250) as i32,
            ok: i % 100 != 3,
        },
    })
}

enum Record {
    User(bool, i32),
    Request {
        grouped: bool,
        name: usize,
        start: i32,
        took: i32,
        ok: bool,
    },
}

const NAMES: [&str; 4] = ["home", "search", "item", "checkout"];
const MESSAGE: &str = "status.find.is(200), but actually found 503";

fn binary() -> Vec<u8> {
    fn string(log: &mut Vec<u8>, text: &str) {
        log.extend_from_slice(&(text.len() as i32).to_be_bytes());
        if !text.is_empty() {
            log.extend_from_slice(text.as_bytes());
            log.push(0);
        }
    }
    fn cached(log: &mut Vec<u8>, known: &mut Vec<String>, text: &str) {
        if let Some(at) = known.iter().position(|k| k == text) {
            log.extend_from_slice(&(-(at as i32) - 1).to_be_bytes());
        } else {
            known.push(text.to_owned());
            log.extend_from_slice(&(known.len() as i32).to_be_bytes());
            string(log, text);
        }
    }
    let (mut log, mut known) = (vec![0], Vec::new());
    string(&mut log, "3.15.1");
    string(&mut log, "shop.Bench");
    log.extend_from_slice(&START_MS.to_be_bytes());
    string(&mut log, "");
    log.extend_from_slice(&1i32.to_be_bytes());
    string(&mut log, "buy");
    log.extend_from_slice(&0i32.to_be_bytes());
    for record in records() {
        match record {
            Record::User(start, at) => {
                log.extend_from_slice(&[2, 0, 0, 0, 0, u8::from(start)]);
                log.extend_from_slice(&at.to_be_bytes());
            }
            Record::Request {
                grouped,
                name,
                start,
                took,
                ok,
            } => {
                log.push(1);
                log.extend_from_slice(&i32::from(grouped).to_be_bytes());
                if grouped {
                    cached(&mut log, &mut known, "cart");
                }
                cached(&mut log, &mut known, NAMES[name]);
                log.extend_from_slice(&start.to_be_bytes());
                log.extend_from_slice(&(start + took).to_be_bytes());
                log.push(u8::from(ok));
                cached(&mut log, &mut known, if ok { "" } else { MESSAGE });
            }
        }
    }
    log
}

fn text() -> Vec<u8> {
    let mut log = format!("RUN\tshop.Bench\tbench\t{START_MS}\t \t3.12.0\n");
    for record in records() {
        log += &match record {
            Record::User(start, at) => {
                let event = if start { "START" } else { "END" };
                format!("USER\tbuy\t{event}\t{}\n", START_MS + i64::from(at))
            }
            Record::Request {
                grouped,
                name,
                start,
                took,
                ok,
            } => format!(
                "REQUEST\t{}\t{}\t{}\t{}\t{}\t{}\n",
                if grouped { "cart" } else { "" },
                NAMES[name],
                START_MS + i64::from(start),
                START_MS + i64::from(start + took),
                if ok { "OK" } else { "KO" },
                if ok { " " } else { MESSAGE },
            ),
        };
    }
    log.into_bytes()
}

fn read(bencher: Bencher<'_, '_>, log: &[u8]) {
    bencher
        .counter(ItemsCount::new(RECORDS))
        .counter(BytesCount::new(log.len()))
        .bench(|| {
            let mut collector = Collector::new(Settings {
                origin_ms: START_MS,
                max_series: 2_000,
                folding: Default::default(),
                tags: Tags::new(),
            });
            let (mut reader, mut rows) = (reader(), Vec::new());
            for piece in black_box(log).chunks(PIECE) {
                reader
                    .push(piece, &mut collector)
                    .expect("the log is well formed");
            }
            let until = collector.latest_ms().unwrap_or_default();
            collector.close(until, &mut rows);
            rows.len()
        });
}

#[divan::bench]
fn binary_log(bencher: Bencher<'_, '_>) {
    read(bencher, &binary());
}

#[divan::bench]
fn text_log(bencher: Bencher<'_, '_>) {
    read(bencher, &text());
}
