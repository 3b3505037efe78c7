//! Rows, a run and a server for tests.
#![allow(clippy::unwrap_used)]

use crate::row::Row;
use crate::sink::Run;
use crate::target::References;
use floodgate_core::histogram::Histogram;
use floodgate_records::execution::Execution;
use floodgate_records::metric::{Contains, MetricKind, SeriesKey, Tags};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What URLs refer to where nothing is set.
pub(crate) struct Nothing;

impl References for Nothing {
    fn env(&self, _: &str) -> Option<String> {
        None
    }
    fn secret(&self, _: &str) -> Result<String, String> {
        Err("unset".to_owned())
    }
}

/// A series with these tags.
pub(crate) fn key(metric: &str, kind: MetricKind, tags: &[(&str, &str)]) -> Arc<SeriesKey> {
    Arc::new(SeriesKey {
        metric: metric.into(),
        kind,
        tags: Tags::from_iter(tags.iter().copied()),
    })
}

/// A row that is no trend.
pub(crate) fn row(key: &Arc<SeriesKey>, time_ms: i64, count: u64, sum: f64) -> Row {
    Row {
        time_ms,
        window_s: 1,
        key: key.clone(),
        contains: Contains::Default,
        count,
        sum,
        min: 0.0,
        max: sum,
        histogram: None,
    }
}

/// A row of a trend of times.
pub(crate) fn trend(
    key: &Arc<SeriesKey>,
    time_ms: i64,
    window_s: u32,
    values_us: impl IntoIterator<Item = u64>,
) -> Row {
    let mut histogram = Histogram::new();
    values_us
        .into_iter()
        .for_each(|value| histogram.record(value));
    let exact = histogram.exact();
    Row {
        time_ms,
        window_s,
        key: key.clone(),
        contains: Contains::Time,
        count: exact.count,
        sum: exact.sum as f64,
        min: exact.min as f64,
        max: exact.max as f64,
        histogram: Some(histogram),
    }
}

/// So many rows of a counter, a second each.
pub(crate) fn counters(rows: u64) -> Vec<Row> {
    let key = key("http_reqs", MetricKind::Counter, &[("name", "home")]);
    (0..rows)
        .map(|i| row(&key, i as i64 * 1_000, 1, 1.0))
        .collect()
}

/// A run that began at 1 s.
pub(crate) fn run() -> Run {
    let mut execution = Execution::created("01M8080EYWF7AW9DV1PG8JMESS", "shop", "checkout", 500);
    execution.started_ms = Some(1_000);
    Run {
        execution,
        testid: "run 1".to_owned(),
        live: false,
    }
}

/// A request as it came.
#[derive(Clone, Debug, Default)]
pub(crate) struct Received {
    /// Method, path and version.
    pub(crate) line: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Received {
    /// By its name in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(header, _)| header == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// A loopback server that keeps what it is sent and answers by a script: these bytes, after which the connection is closed if they
/// end no answer. Past the script it answers 204.
pub(crate) struct Server {
    port: u16,
    requests: Arc<Mutex<Vec<Received>>>,
}

impl Server {
    pub(crate) async fn start<S: Into<String>>(script: impl IntoIterator<Item = S>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests: Arc<Mutex<Vec<Received>>> = Arc::default();
        let script: VecDeque<String> = script.into_iter().map(Into::into).collect();
        let (kept, script) = (requests.clone(), Arc::new(Mutex::new(script)));
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (kept, script) = (kept.clone(), script.clone());
                tokio::spawn(async move { serve(stream, &kept, &script).await });
            }
        });
        Self { port, requests }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn requests(&self) -> Vec<Received> {
        self.requests.lock().unwrap().clone()
    }
}

async fn serve(
    mut stream: TcpStream,
    kept: &Mutex<Vec<Received>>,
    script: &Mutex<VecDeque<String>>,
) -> Option<()> {
    const TAKEN: &str = "HTTP/1.1 204 No Content\r\n\r\n";
    let mut buffer = Vec::new();
    loop {
        let request = receive(&mut stream, &mut buffer).await?;
        kept.lock().unwrap().push(request);
        let answer = script.lock().unwrap().pop_front();
        let answer = answer.unwrap_or_else(|| TAKEN.to_owned());
        stream.write_all(answer.as_bytes()).await.ok()?;
        if !answer.contains("\r\n\r\n") {
            return None;
        }
    }
}

async fn receive(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<Received> {
    let end = loop {
        if let Some(at) = buffer.windows(4).position(|part| part == b"\r\n\r\n") {
            break at;
        }
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(buffer[..end].to_vec()).unwrap();
    let mut lines = head.lines();
    let line = lines.next().unwrap().to_owned();
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    let mut request = Received {
        line,
        headers,
        body: Vec::new(),
    };
    let length: usize = request
        .header("content-length")
        .map_or(0, |n| n.parse().unwrap());
    let whole = end + 4 + length;
    while buffer.len() < whole {
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    }
    request.body = buffer[end + 4..whole].to_vec();
    buffer.drain(..whole);
    Some(request)
}
