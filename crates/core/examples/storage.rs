//! Bytes a request that shards and merged series take.
//!
//! `cargo run --release -p floodgate-core --example storage -- [median_us] [sigma] [seconds] [response_window_s] [phase_window_s] [flush_s]`
//!
//! The last three are for weighing other choices than those of `floodgate_core::shard`.
//! With `STORAGE_DUMP=folder` the shards are written there too.
//!
//! The load: 10,000 requests a second, 20 names, 10 tasks, at a constant rate (so 50 requests a second, name and task), without
//! errors, connections kept alive, one check a request, 20 requests an iteration, one shard a task and flush interval. The time to the
//! first byte is lognormal with the given sigma (default 0.4); the median (default 5,000 µs) is that of the middle name, those of
//! the others are spread evenly from half to twice of it; one request in 100 takes five times as long. Lognormal too: sending 15 µs
//! (0.3), receiving 40 µs (0.5), blocked 3 µs (0.4), lag of the generator 60 µs (0.4).
//!
//! Printed: bytes of the files, then where they go by metric and by column, and what one trend would take if its bytes were
//! coded one by one as well as can be. Results stand in `docs/benchmarks.md`, what they mean in ADR 0005.
#![allow(clippy::unwrap_used)]

use bytes::Bytes;
mod load;

use floodgate_core::histogram::Histogram;
use floodgate_core::merge::Merger;
use floodgate_core::shard::{
    Content, FLUSH_INTERVAL_MS, Row, Shard, ShardMeta, Sources, WINDOW_S, encode, window_s,
};
use floodgate_records::metric::{Builtin, MetricKind, SeriesKey, Tags};
use load::Random;
use parquet::file::reader::{FileReader, SerializedFileReader};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

const TASKS: u32 = 10;
const NAMES: usize = 20;
const PER_NAME: usize = 50;
const REQUESTS_PER_S: f64 = (TASKS as usize * NAMES * PER_NAME) as f64;

fn main() {
    let arguments: Vec<f64> = std::env::args()
        .skip(1)
        .filter_map(|a| a.parse().ok())
        .collect();
    let get = |i: usize, default| arguments.get(i).copied().unwrap_or(default);
    let (median, sigma, seconds) = (get(0, 5_000.0), get(1, 0.4), get(2, 60.0) as i64);
    let windows = Windows {
        response: get(3, default_s(Builtin::HttpReqResponseTime)) as i64,
        phases: get(4, default_s(Builtin::HttpReqDuration)) as i64,
    };
    let requests = REQUESTS_PER_S * seconds as f64;
    let flush_s = get(5, FLUSH_INTERVAL_MS as f64 / 1_000.0) as i64;
    let mut model = Model {
        random: Random::with_seed(7),
        keys: keys(),
        median,
        sigma,
        windows,
    };
    let mut tasks = Vec::new();
    for seq in 0..(seconds / flush_s) {
        for task in 0..TASKS {
            tasks.push(model.shard(task, seq as u32, seq * flush_s, flush_s));
        }
    }
    if let Some(folder) = std::env::var_os("STORAGE_DUMP") {
        let folder = std::path::PathBuf::from(folder);
        for shard in &tasks {
            let name = format!(
                "{}.parquet",
                shard.meta.sources.to_string().replace(':', "-")
            );
            std::fs::write(folder.join(name), encode(&shard.meta, &shard.rows).unwrap()).unwrap();
        }
    }
    println!(
        "{requests:.0} requests, median {median} µs, sigma {sigma}, {NAMES} names, {TASKS} tasks, flush {flush_s} s\n"
    );
    println!(
        "{:<44} {:>12} {:>12}",
        "bytes a request", "shards", "merged"
    );
    let all = Files::of(&tasks, |_| true);
    let print = |name: &str, shards: f64, merged: f64| {
        println!(
            "{name:<44} {:>12.3} {:>12.3}",
            shards / requests,
            merged / requests
        );
    };
    let size = |files: &[Vec<u8>]| files.iter().map(Vec::len).sum::<usize>() as f64;
    print("all metrics", size(&all.shards), size(&all.merged));
    println!("\nof which, by what the files shrink by without it");
    let metrics: BTreeSet<Builtin> = tasks
        .iter()
        .flat_map(|shard| &shard.rows)
        .filter_map(|row| Builtin::parse(&row.key.metric))
        .collect();
    for metric in metrics {
        let without = Files::of(&tasks, |m| m != metric);
        let less = |all: &[Vec<u8>], without: &[Vec<u8>]| size(all) - size(without);
        print(
            metric.name(),
            less(&all.shards, &without.shards),
            less(&all.merged, &without.merged),
        );
    }
    println!("\nof which, by column");
    let (shards, merged) = (by_column(&all.shards), by_column(&all.merged));
    for (column, bytes) in &shards {
        print(column, *bytes, merged.get(column).copied().unwrap_or(0.0));
    }
    let rest = |files: &[Vec<u8>], columns: &BTreeMap<String, f64>| {
        size(files) - columns.values().sum::<f64>()
    };
    print(
        "footers",
        rest(&all.shards, &shards),
        rest(&all.merged, &merged),
    );
    println!("\nhistograms of http_req_response_time in shards, bytes a request");
    let histograms: Vec<&[u8]> = tasks
        .iter()
        .flat_map(|shard| &shard.rows)
        .filter(|row| row.key.metric == Builtin::HttpReqResponseTime.name())
        .filter_map(|row| row.histogram.as_deref())
        .collect();
    let bytes = histograms.iter().map(|h| h.len()).sum::<usize>() as f64;
    println!("{:<44} {:>12.3}", "as they are", bytes / requests);
    println!(
        "{:<44} {:>12.3}",
        "entropy of their bytes, headers left out",
        entropy(&histograms) / requests
    );
    let (micros, shards) = (all.encode_s * 1e6 / tasks.len() as f64, tasks.len());
    println!(
        "\n{shards} shards of {} rows; encoding one takes {micros:.0} µs",
        all.rows / shards
    );
}

/// The files of a run.
struct Files {
    shards: Vec<Vec<u8>>,
    /// One.
    merged: Vec<Vec<u8>>,
    encode_s: f64,
    rows: usize,
}

impl Files {
    /// With the metrics that are chosen.
    fn of(tasks: &[Shard], chosen: impl Fn(Builtin) -> bool) -> Self {
        let mut merger = Merger::new("x", Vec::new()).unwrap();
        let (mut files, mut encode_s, mut rows) = (Vec::new(), 0.0, 0);
        for shard in tasks {
            let keep = |row: &&Row| Builtin::parse(&row.key.metric).is_some_and(&chosen);
            let shard = Shard {
                meta: shard.meta.clone(),
                rows: shard.rows.iter().filter(keep).cloned().collect(),
            };
            let start = Instant::now();
            files.push(encode(&shard.meta, &shard.rows).unwrap());
            encode_s += start.elapsed().as_secs_f64();
            rows += shard.rows.len();
            merger.advance(shard.meta.start_ms).unwrap();
            merger.push(&shard).unwrap();
        }
        Self {
            shards: files,
            merged: vec![merger.finish().unwrap().out],
            encode_s,
            rows,
        }
    }
}

/// The least bytes that a code for single bytes, such as Huffman's, can bring the counts of V2 histograms to.
fn entropy(histograms: &[&[u8]]) -> f64 {
    /// Bytes of the form's header.
    const HEADER: usize = 40;
    let mut seen = [0.0; 256];
    for &byte in histograms.iter().flat_map(|h| &h[HEADER..]) {
        seen[usize::from(byte)] += 1.0;
    }
    let all: f64 = seen.iter().sum();
    let bits = seen
        .iter()
        .filter(|&&n| n > 0.0)
        .map(|n| -n * (n / all).log2());
    bits.sum::<f64>() / 8.0
}

/// Bytes of the columns' pages.
fn by_column(files: &[Vec<u8>]) -> BTreeMap<String, f64> {
    let mut columns = BTreeMap::new();
    for file in files {
        let reader = SerializedFileReader::new(Bytes::copy_from_slice(file)).unwrap();
        for column in reader
            .metadata()
            .row_groups()
            .iter()
            .flat_map(|g| g.columns())
        {
            *columns.entry(column.column_path().string()).or_default() +=
                column.compressed_size() as f64;
        }
    }
    columns
}

fn keys() -> BTreeMap<(Builtin, usize), Arc<SeriesKey>> {
    let mut keys = BTreeMap::new();
    for &metric in Builtin::ALL {
        for name in 0..NAMES {
            let mut tags = Tags::new().with("scenario", "browse");
            if metric.name().starts_with("http_req") || metric == Builtin::Checks {
                tags = tags
                    .with("name", format!("/api/resource/{name}"))
                    .with("method", "GET")
                    .with("status", "200");
                tags = tags.with("expected_response", "true");
            }
            if metric == Builtin::Checks {
                tags = tags.with("check", "status == 200");
            }
            let key = SeriesKey {
                metric: metric.name().to_owned(),
                kind: metric.kind(),
                tags,
            };
            keys.insert((metric, name), Arc::new(key));
        }
    }
    keys
}

struct Model {
    random: Random,
    keys: BTreeMap<(Builtin, usize), Arc<SeriesKey>>,
    median: f64,
    sigma: f64,
    windows: Windows,
}

/// Seconds of a row.
#[derive(Clone, Copy)]
struct Windows {
    response: i64,
    /// Of all other trends.
    phases: i64,
}

/// The window that shards have for a metric.
fn default_s(metric: Builtin) -> f64 {
    f64::from(window_s(metric.name()))
}

impl Windows {
    fn of(self, metric: Builtin) -> i64 {
        match metric {
            Builtin::HttpReqResponseTime => self.response,
            phase if phase.in_phase_window() => self.phases,
            _ => i64::from(WINDOW_S),
        }
    }
}

#[derive(Default)]
struct Cell {
    count: u64,
    sum: f64,
    min: f64,
    max: f64,
    histogram: Histogram,
}

struct Cells {
    windows: Windows,
    cells: BTreeMap<(Builtin, usize, i64), Cell>,
}

impl Model {
    fn shard(&mut self, task: u32, seq: u32, from_s: i64, length_s: i64) -> Shard {
        let mut cells = Cells {
            windows: self.windows,
            cells: BTreeMap::new(),
        };
        for second in from_s..from_s + length_s {
            for name in 0..NAMES {
                for _ in 0..PER_NAME {
                    self.request(&mut cells, second, name);
                }
            }
            for _ in 0..PER_NAME {
                let iteration = self.random.lognormal(self.median * 20.0, 0.1);
                let lag = self.random.lognormal(60.0, 0.4);
                add(&mut cells, Builtin::Iterations, 0, second, 1);
                add(&mut cells, Builtin::IterationDuration, 0, second, iteration);
                add(&mut cells, Builtin::GeneratorLag, 0, second, lag);
            }
            for (metric, value) in [
                (Builtin::Vus, 40),
                (Builtin::VusMax, 50),
                (Builtin::GeneratorCpu, 1),
            ] {
                add(&mut cells, metric, 0, second, value);
            }
        }
        let rows = cells
            .cells
            .into_iter()
            .map(|((metric, name, second), cell)| self.row(metric, name, second, cell))
            .collect();
        let meta = ShardMeta {
            content: Content::Shard,
            execution: "x".into(),
            segment: format!("{task}/{TASKS}"),
            sources: Sources::one(task, seq),
            start_ms: from_s * 1_000,
            end_ms: (from_s + length_s) * 1_000,
        };
        Shard { meta, rows }
    }

    fn request(&mut self, cells: &mut Cells, second: i64, name: usize) {
        let median = self.median * 2f64.powf(name as f64 / (NAMES - 1) as f64 * 2.0 - 1.0);
        let times = self.random.request(median, self.sigma);
        let received = self.random.received();
        for (metric, value) in [
            (Builtin::HttpReqs, 1),
            (Builtin::HttpReqFailed, 0),
            (Builtin::Checks, 1),
            (Builtin::HttpReqDuration, times.duration()),
            (Builtin::HttpReqResponseTime, times.response()),
            (Builtin::HttpReqBlocked, times.blocked),
            (Builtin::HttpReqLookingUp, 0),
            (Builtin::HttpReqConnecting, 0),
            (Builtin::HttpReqTlsHandshaking, 0),
            (Builtin::HttpReqSending, times.sending),
            (Builtin::HttpReqWaiting, times.waiting),
            (Builtin::HttpReqReceiving, times.receiving),
        ] {
            add(cells, metric, name, second, value);
        }
        add(cells, Builtin::DataSent, 0, second, 180);
        add(cells, Builtin::DataReceived, 0, second, received);
    }

    fn row(&self, metric: Builtin, name: usize, second: i64, cell: Cell) -> Row {
        let trend = metric.kind() == MetricKind::Trend;
        let histogram = trend.then(|| {
            let mut bytes = Vec::new();
            cell.histogram.encode_v2(&mut bytes);
            bytes.into()
        });
        Row {
            time_ms: second * 1_000,
            window_s: self.windows.of(metric) as u32,
            key: self.keys[&(metric, name)].clone(),
            count: cell.count,
            sum: cell.sum,
            min: cell.min,
            max: cell.max,
            histogram,
        }
    }
}

fn add(cells: &mut Cells, metric: Builtin, name: usize, second: i64, value: u64) {
    let window = cells.windows.of(metric);
    let cell = cells
        .cells
        .entry((metric, name, second - second % window))
        .or_default();
    let number = value as f64;
    cell.min = if cell.count == 0 {
        number
    } else {
        cell.min.min(number)
    };
    cell.max = cell.max.max(number);
    cell.count += 1;
    cell.sum = if metric.kind() == MetricKind::Gauge {
        number
    } else {
        cell.sum + number
    };
    if metric.kind() == MetricKind::Trend {
        cell.histogram.record(value);
    }
}
