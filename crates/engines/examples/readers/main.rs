//! What reading an engine's output takes, whatever its length: time, CPU and memory of one reader and its collector.
//!
//! `cargo run --release -p floodgate-engines --example readers -- FORMAT [bytes] [same | names | urls]`
//!
//! The output is made up while it is read, and is nowhere as a whole: a recording of the real tool over and over, its times going
//! on; binary logs of Gatling, whose strings are written once, from records like those of a recording. Labels are those of the
//! recording (`same`), or each request has a name (`names`) or a URL (`urls`) that was never seen before. What makes it up is not
//! in the times.
//!
//! Printed in one line: bytes, records, seconds, CPU seconds, peak resident set in bytes after a tenth and after all, series.
//! `cargo xtask bench engine-readers` makes a table of it.
#![allow(clippy::unwrap_used)]

mod binary;
mod recording;

use floodgate_core::shard::Row;
use floodgate_engines::collector::Settings;
use floodgate_engines::{Collector, Reader, gatling, jmeter, k6};
use floodgate_records::metric::{Builtin, Tags};
use rustix::time::{ClockId, clock_gettime};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// What is read at once, as by `floodgate import`.
const PIECE: usize = 64 << 10;
/// What is made up at once.
const BLOCK: usize = 1 << 20;
/// Samples come this late after the latest one at most, as for `floodgate import`.
const DISORDER_MS: i64 = 60_000;

/// How requests are called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Labels {
    Same,
    Names,
    Urls,
}

impl Labels {
    /// What stands before the name of request `number`.
    fn prefix(self, number: u64) -> String {
        match self {
            Self::Same => String::new(),
            Self::Names => format!("{number} "),
            Self::Urls => format!("http://shop.example/{number}/"),
        }
    }
}

/// Makes output up.
trait Source {
    /// What begins the output.
    fn head(&self) -> Vec<u8>;
    /// Writes some more, and says how many records that are.
    fn more(&mut self, out: &mut Vec<u8>) -> u64;
    /// What ends it.
    fn foot(&self) -> &'static [u8];
}

fn source(format: &str, labels: Labels) -> (Box<dyn Source>, Box<dyn Reader>) {
    // As of a run, which has response times.
    let jtl = || {
        jmeter::reader(jmeter::Options {
            paces: Some(jmeter::Paces::default()),
            ..jmeter::Options::default()
        })
    };
    let recorded = |format| Box::new(recording::Recording::new(format, labels));
    match format {
        "k6-json" => (recorded(recording::K6_JSON), k6::reader(&[])),
        "k6-csv" => {
            let kinds = BTreeMap::new();
            (
                recorded(recording::K6_CSV),
                Box::new(k6::CsvReader::new(kinds)),
            )
        }
        "jtl-csv" => (recorded(recording::JTL_CSV), jtl()),
        "jtl-xml" => (recorded(recording::JTL_XML), jtl()),
        "gatling-text" => (recorded(recording::GATLING_TEXT), gatling::reader()),
        "gatling-binary" => (Box::new(binary::Log::new(labels)), gatling::reader()),
        _ => panic!(
            "{format:?} is none of k6-json, k6-csv, jtl-csv, jtl-xml, gatling-text, gatling-binary"
        ),
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let argument = |number: usize, default| arguments.get(number).map_or(default, String::as_str);
    let bytes: u64 = argument(1, "2000000000").parse().unwrap();
    let labels = match argument(2, "same") {
        "same" => Labels::Same,
        "names" => Labels::Names,
        "urls" => Labels::Urls,
        other => panic!("{other:?} is none of same, names, urls"),
    };
    let (mut source, reader) = source(argument(0, ""), labels);
    let mut reading = Reading::new(reader);
    let (mut read, mut records, mut early_bytes) = (0, 0, 0);
    let mut block = source.head();
    while read < bytes {
        while block.len() < BLOCK {
            records += source.more(&mut block);
        }
        reading.read(&block);
        read += block.len() as u64;
        block.clear();
        if early_bytes == 0 && read >= bytes / 10 {
            early_bytes = peak_rss_bytes();
        }
    }
    reading.read(source.foot());
    let Reading {
        mut reader,
        mut into,
        took,
        cpu,
        ..
    } = reading;
    let said = reader.finish(&mut into).unwrap();
    assert!(into.total(Builtin::HttpReqs) > 0.0);
    println!(
        "{read} {records} {:.3} {:.3} {early_bytes} {} {}",
        took.as_secs_f64(),
        cpu.as_secs_f64(),
        peak_rss_bytes(),
        into.series_count(),
    );
    said.iter().for_each(|warning| eprintln!("{warning}"));
}

/// A reader, its collector, and what they took.
struct Reading {
    reader: Box<dyn Reader>,
    into: Collector,
    rows: Vec<Row>,
    took: Duration,
    cpu: Duration,
}

impl Reading {
    fn new(reader: Box<dyn Reader>) -> Self {
        Self {
            reader,
            into: Collector::new(Settings {
                origin_ms: 0,
                max_series: 2_000,
                folding: Default::default(),
                tags: Tags::new(),
            }),
            rows: Vec::new(),
            took: Duration::ZERO,
            cpu: Duration::ZERO,
        }
    }

    /// Reads, and closes what is over.
    fn read(&mut self, bytes: &[u8]) {
        let (start, cpu) = (Instant::now(), thread_cpu());
        for piece in bytes.chunks(PIECE) {
            self.reader.push(piece, &mut self.into).unwrap();
            if let Some(latest) = self.into.latest_ms() {
                self.into.close(latest - DISORDER_MS, &mut self.rows);
            }
            // They would be written to a shard.
            self.rows.clear();
        }
        self.took += start.elapsed();
        self.cpu += thread_cpu() - cpu;
    }
}

fn thread_cpu() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.cast_unsigned(), time.tv_nsec as u32)
}

fn peak_rss_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.unwrap().trim().trim_end_matches("kB").trim();
    kib.parse::<u64>().unwrap() * 1_024
}
