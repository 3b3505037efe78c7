//! Reading k6's output into a collector: at least 200 MB/s of JSON lines a core.

#![allow(missing_docs)]

use divan::Bencher;
use divan::counter::BytesCount;
use floodgate_engines::collector::Settings;
use floodgate_engines::k6::{CsvReader, JsonReader};
use floodgate_engines::{Collector, Reader};
use floodgate_records::metric::Tags;
use std::collections::BTreeMap;

fn main() {
    divan::main();
}

fn fixture(name: &str) -> Vec<u8> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures/k6")
        .join(name);
    std::fs::read(&path).expect("the recording is in the repository")
}

/// A recording many times over, in the pieces in which a pipe gives it.
fn read(
    bencher: Bencher<'_, '_>,
    head: &[u8],
    body: &[u8],
    reader: impl Fn() -> Box<dyn Reader> + Sync,
) {
    let mut text = head.to_vec();
    while text.len() < 16 << 20 {
        text.extend_from_slice(body);
    }
    bencher
        .counter(BytesCount::of_slice(&text))
        .bench_local(|| {
            let mut into = Collector::new(Settings {
                origin_ms: 1_795_328_804_000,
                max_series: 2_000,
                folding: Default::default(),
                tags: Tags::new(),
            });
            let mut reader = reader();
            for piece in text.chunks(64 << 10) {
                reader
                    .push(piece, &mut into)
                    .expect("the recording can be read");
            }
            let warnings = reader.finish(&mut into);
            (warnings, into.series_count())
        });
}

#[divan::bench(args = ["samples.json", "samples-v1.json"])]
fn json(bencher: Bencher<'_, '_>, name: &str) {
    read(bencher, b"", &fixture(name), || Box::new(JsonReader::new()));
}

/// Every request has a URL of its own, and no name: tags are parsed for each.
#[divan::bench]
fn json_of_new_urls(bencher: Bencher<'_, '_>) {
    let text = String::from_utf8(fixture("samples.json")).expect("UTF-8");
    let (mut body, mut number, mut last) = (String::new(), 0, "");
    while body.len() < 16 << 20 {
        for line in text.lines() {
            match line.split_once("\"name\":\"http://") {
                Some((head, name)) if line.contains("\"Point\"") => {
                    // The samples of one request follow each other.
                    number += u32::from(name != last || head.contains("\"http_reqs\""));
                    last = name;
                    body.push_str(&format!("{head}\"name\":\"http://{number}.{name}\n"));
                }
                _ => {}
            }
            if line.contains("\"Metric\"") {
                body.push_str(line);
                body.push('\n');
            }
        }
    }
    read(
        bencher,
        b"",
        body.as_bytes(),
        || Box::new(JsonReader::new()),
    );
}

#[divan::bench]
fn csv(bencher: Bencher<'_, '_>) {
    let text = fixture("samples.csv");
    let header = text
        .iter()
        .position(|&byte| byte == b'\n')
        .expect("a header")
        + 1;
    read(bencher, &text[..header], &text[header..], || {
        Box::new(CsvReader::new(BTreeMap::new()))
    });
}
