//! Real stores behind a connection that breaks: what arrives is each sample once, and the run is what it would be without.

use super::servers::{self, Server, psql};
use crate::export::server::{Influx, installed};
use crate::support::*;
use floodgate_records::status::Status;
use floodgate_records::summary::Summary;
use floodgate_testserver::{Config, TestServer};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// What becomes of a connection.
#[derive(Clone, Copy)]
enum Fault {
    /// It is closed as soon as it is there.
    Dropped,
    /// Nothing passes for so long.
    Delayed(Duration),
    /// It ends after so many bytes of what the store says, which has done its work by then.
    CutAnswer(usize),
    /// It ends after so many bytes of what the sink says.
    CutRequest(usize),
    /// The store is not asked; something answers that is none.
    Garbage,
}

/// Stands before a server; the first connections have these faults, in turn, and all later ones none.
struct Proxy {
    port: u16,
    seen: Arc<AtomicUsize>,
}

impl Proxy {
    fn before(server: u16, faults: &'static [Fault]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::new(AtomicUsize::new(0));
        let count = seen.clone();
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let n = count.fetch_add(1, Ordering::Relaxed);
                let fault = faults.get(n).copied();
                std::thread::spawn(move || carry(client, server, fault));
            }
        });
        Self { port, seen }
    }

    /// Whether every fault has had its turn.
    fn is_through(&self, faults: &[Fault]) -> bool {
        self.seen.load(Ordering::Relaxed) >= faults.len()
    }
}

fn carry(mut client: TcpStream, server: u16, fault: Option<Fault>) {
    let (mut request, mut answer) = (usize::MAX, usize::MAX);
    match fault {
        Some(Fault::Dropped) => return,
        Some(Fault::Garbage) => {
            let _ = client.read(&mut [0; 4_096]);
            let _ = client.write_all(b"\x15\x03\x01 what do you mean?\r\n\r\n");
            return;
        }
        Some(Fault::Delayed(time)) => std::thread::sleep(time),
        Some(Fault::CutAnswer(bytes)) => answer = bytes,
        Some(Fault::CutRequest(bytes)) => request = bytes,
        None => {}
    }
    let Ok(store) = TcpStream::connect(("127.0.0.1", server)) else {
        return;
    };
    let (from, to) = (client.try_clone().unwrap(), store.try_clone().unwrap());
    let there = std::thread::spawn(move || pass(from, to, request));
    pass(store, client, answer);
    let _ = there.join();
}

/// Passes on up to so many bytes; then both directions end.
fn pass(mut from: TcpStream, mut to: TcpStream, mut most: usize) {
    let mut buffer = [0; 65_536];
    while most > 0 {
        let Ok(read @ 1..) = from.read(&mut buffer) else {
            break;
        };
        let whole = read.min(most);
        most -= whole;
        if to.write_all(&buffer[..whole]).is_err() {
            break;
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}

/// All of them. The last one lets a connection last, which is then kept; all before end it, so that the next fault has its turn.
const FAULTS: &[Fault] = &[
    Fault::Dropped,
    Fault::Garbage,
    Fault::CutAnswer(7),
    Fault::CutRequest(900),
    Fault::CutAnswer(0),
    Fault::CutAnswer(1),
    Fault::Delayed(Duration::from_millis(700)),
];

/// A run of 13 s, so that a shard is exported while it goes on: 260 requests by arrivals, of one name.
fn run(bench: &Bench, export: &str) -> Summary {
    let target = TestServer::start(Config::service()).unwrap();
    let definition = format!(
        "version: 1\nproject: e2e\ntest: broken\ntarget: {}\nscenarios:\n  s:\n    executor: constant-arrival-rate\n    rate: 20\n    \
         duration: 13s\n    preAllocatedVUs: 10\n    flow: [{{ get: /bytes/100, name: page }}]\nexport: [\"{export}\"]\n",
        target.url()
    );
    bench.write("test.yaml", &definition);
    let setting = format!("export FLOODGATE_POSTGRES_PASSWORD='{}'", servers::PASSWORD);
    let ended = bench
        .spawn_limited(&setting, &["run", "test.yaml", "--json"])
        .end();
    ended.expect(0);
    let summary = ended.summary();
    assert_eq!(summary.status, Status::Passed, "{:?}", summary.reasons);
    assert_eq!(value(&summary, "http_reqs", "count"), 260.0);
    assert_eq!(target.counters().requests(), 260);
    let said = ended.stderr();
    assert!(!said.contains("warning: export"), "{said}");
    summary
}

#[test]
fn influxdb_has_each_sample_once_behind_a_connection_that_breaks() {
    let Some(influx) = Influx::start() else {
        return;
    };
    let proxy = Proxy::before(influx.port, FAULTS);
    let summary = run(
        &Bench::new(),
        &format!("influxdb://127.0.0.1:{}/k6", proxy.port),
    );
    assert!(proxy.is_through(FAULTS));
    let number = |statement: &str| influx.number("k6", statement);
    assert_eq!(number("SELECT sum(value) FROM http_reqs"), 260.0);
    assert_eq!(number("SELECT sum(count) FROM http_req_duration"), 260.0);
    assert_eq!(number("SELECT count(value) FROM http_req_duration"), 260.0);
    let max = value(&summary, "http_req_duration", "max");
    assert_eq!(number("SELECT max(max) FROM http_req_duration"), max);
}

#[test]
fn postgresql_has_each_sample_once_behind_a_connection_that_breaks() {
    let Some(programs) = installed("FLOODGATE_POSTGRES") else {
        return;
    };
    let server = servers::postgres(&programs);
    psql(&programs, &server, "postgres", "CREATE DATABASE results").unwrap();
    let proxy = Proxy::before(server.port, FAULTS);
    let url = format!("postgres://postgres@127.0.0.1:{}/results", proxy.port);
    let summary = run(&Bench::new(), &url);
    assert!(proxy.is_through(FAULTS));
    let id = &summary.execution;
    let number = |what: &str, metric: &str| {
        let sql = format!(
            "SELECT {what} FROM floodgate.series_windows WHERE execution = '{id}' AND metric = '{metric}'"
        );
        psql(&programs, &server, "results", &sql).unwrap()
    };
    assert_eq!(number("sum(sum)::int", "http_reqs"), "260");
    assert_eq!(number("sum(count)", "http_req_duration"), "260");
}

/// Counts of a run, as a Prometheus has them.
fn counted(server: &Server, summary: &Summary) -> Option<f64> {
    let now = summary.started_ms.unwrap() as f64 / 1e3 + summary.duration_s + 15.0;
    server.promql("sum(last_over_time(floodgate_http_reqs_total[1h]))", now)
}

#[test]
fn prometheus_has_each_sample_once_behind_a_connection_that_breaks() {
    let Some(program) = installed("FLOODGATE_PROMETHEUS") else {
        return;
    };
    let server = servers::prometheus(&program);
    let proxy = Proxy::before(server.port, FAULTS);
    let summary = run(
        &Bench::new(),
        &format!("prometheus+http://127.0.0.1:{}", proxy.port),
    );
    assert!(proxy.is_through(FAULTS));
    assert_eq!(counted(&server, &summary), Some(260.0));
}

/// A Collector's totals are cumulative: the last point of a series is what counts, however often it comes.
#[test]
fn a_collector_has_the_totals_behind_a_connection_that_breaks() {
    let Some(program) = installed("FLOODGATE_OTELCOL") else {
        return;
    };
    let server = servers::collector(&program);
    let proxy = Proxy::before(server.port, FAULTS);
    run(
        &Bench::new(),
        &format!("otlp+http://127.0.0.1:{}", proxy.port),
    );
    assert!(proxy.is_through(FAULTS));
    let got = std::fs::read_to_string(server.path("got.json")).unwrap();
    let mut last = None;
    for line in got.lines() {
        let all: serde_json::Value = serde_json::from_str(line).unwrap();
        let metrics = all["resourceMetrics"][0]["scopeMetrics"][0]["metrics"].clone();
        for metric in metrics.as_array().unwrap() {
            if metric["name"] == "floodgate.http_reqs" {
                let points = metric["sum"]["dataPoints"].as_array().unwrap().clone();
                // One series: all requests have the same name and status.
                last = points.last().and_then(|point| point["asDouble"].as_f64());
            }
        }
    }
    assert_eq!(last, Some(260.0));
}

/// Nothing of a store that only ever answers nonsense: the run is what it is, and the report says what the store lacks.
#[test]
fn a_store_that_is_none_changes_nothing_and_is_reported() {
    static NONSENSE: [Fault; 2_000] = [Fault::Garbage; 2_000];
    let (bench, target) = (Bench::new(), TestServer::start(Config::service()).unwrap());
    for scheme in ["influxdb", "prometheus+http", "otlp+http", "postgres"] {
        let proxy = Proxy::before(9, &NONSENSE);
        let path = if scheme == "influxdb" || scheme == "postgres" {
            "/db"
        } else {
            ""
        };
        let user = if scheme == "postgres" { "ann@" } else { "" };
        let url = format!("{scheme}://{user}127.0.0.1:{}{path}", proxy.port);
        let definition = format!(
            "version: 1\nproject: e2e\ntest: none\ntarget: {}\nscenarios:\n  s:\n    executor: per-vu-iterations\n    iterations: 7\n    \
             flow: [{{ get: /bytes/100 }}]\nexport: [\"{url}\"]\n",
            target.url()
        );
        let (ended, summary) = bench.run(&definition, &[]);
        ended.expect(0);
        assert_eq!(summary.status, Status::Passed, "{:?}", summary.reasons);
        assert_eq!(value(&summary, "http_reqs", "count"), 7.0);
        let said = ended.stderr();
        let lacks = format!("warning: export to {url} lacks ");
        assert!(said.contains(&lacks), "{scheme}: {said}");
        assert!(said.contains("again: floodgate export"), "{scheme}: {said}");
    }
}

/// Whoever scrapes a run that goes on sees counters that only rise, up to what the run measured.
#[test]
fn a_run_that_is_scraped_tells_what_it_measured() {
    let (bench, target) = (Bench::new(), TestServer::start(Config::service()).unwrap());
    let port = crate::export::server::free_port();
    let definition = format!(
        "version: 1\nproject: e2e\ntest: scraped\ntarget: {}\nscenarios:\n  s:\n    executor: constant-arrival-rate\n    rate: 20\n    \
         duration: 22s\n    preAllocatedVUs: 10\n    flow: [{{ get: /bytes/100, name: page }}]\n",
        target.url()
    );
    bench.write("test.yaml", &definition);
    let address = format!("127.0.0.1:{port}");
    let running = bench.spawn(&["run", "test.yaml", "--json", "--metrics", &address]);
    let mut seen = Vec::new();
    eventually("two looks with requests, the second with more", || {
        let text = servers::get(port, "/metrics").map_or_else(String::new, |(_, text)| text);
        let lines = text
            .lines()
            .filter(|line| line.starts_with("floodgate_http_reqs_total"));
        let counts = lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok());
        let total: f64 = counts.sum();
        if total > seen.last().copied().unwrap_or_default() {
            seen.push(total);
        }
        seen.len() >= 2
    });
    assert!(seen.windows(2).all(|pair| pair[0] < pair[1]), "{seen:?}");
    let ended = running.end();
    ended.expect(0);
    assert_eq!(value(&ended.summary(), "http_reqs", "count"), 440.0);
    assert!(*seen.last().unwrap() <= 440.0);
}
