//! An observer in front of loopback servers.

use super::Observer;
use floodgate_core::definition::model::{ObserveSource, ObserveSpec, PrometheusSource};
use floodgate_core::shard::{Shard, decode};
use floodgate_records::control::Start;
use floodgate_records::keys::{ExecutionKeys, OBSERVER};
use floodgate_records::observed::Observed;
use floodgate_store::local::LocalStore;
use floodgate_store::{ObjectStore, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

const RUN: &str = "01ARZ3NDEKTSV4RRFFQ69G5FAV";
const START_MS: i64 = 1_700_000_000_500;

/// Answers each question with the seconds since the start as values; the first `cut` connections are closed without a word.
async fn server(cut: usize) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/prom", listener.local_addr().unwrap());
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let n = count.fetch_add(1, Ordering::Relaxed);
            let mut buffer = vec![0; 8_192];
            let read = stream.read(&mut buffer).await.unwrap();
            let mut text = String::from_utf8_lossy(&buffer[..read]).into_owned();
            if n < cut {
                continue;
            }
            while !text.contains("nocache=1") {
                let read = stream.read(&mut buffer).await.unwrap();
                text.push_str(&String::from_utf8_lossy(&buffer[..read]));
            }
            assert!(text.starts_with("POST /prom/api/v1/query_range "), "{text}");
            let field = |name: &str| {
                let (_, rest) = text.split_once(&format!("{name}=")).unwrap();
                let value: f64 = rest.split('&').next().unwrap().parse().unwrap();
                (value * 1_000.0).round() as i64
            };
            let times = (field("start")..=field("end")).step_by(field("step") as usize);
            let values =
                times.map(|at| format!("[{}.5,\"{}\"]", at / 1_000, (at - START_MS) / 1_000));
            let values = values.collect::<Vec<_>>().join(",");
            let body = format!(
                r#"{{"status":"success","data":{{"resultType":"matrix","result":[{{"metric":{{}},"values":[{values}]}}]}}}}"#
            );
            let answer = format!(
                "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            );
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    (url, asked)
}

fn spec(metric: &str, prometheus: &str, seconds: u64) -> ObserveSpec {
    ObserveSpec {
        metric: metric.to_owned(),
        source: ObserveSource::Prometheus(PrometheusSource {
            url: prometheus.to_owned(),
            query: "sum(up) or vector(0)".to_owned(),
            user: None,
            password: None,
            token: None,
        }),
        interval: Duration::from_secs(seconds),
    }
}

struct Bench {
    _folder: tempfile::TempDir,
    objects: Arc<LocalStore>,
    keys: ExecutionKeys,
}

impl Bench {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let objects = Arc::new(LocalStore::open(folder.path()).unwrap());
        let keys = ExecutionKeys::new("p", RUN);
        let start = Start { start_ms: START_MS };
        json::put_compact(objects.as_ref(), &keys.start(), &start)
            .await
            .unwrap();
        Self {
            _folder: folder,
            objects,
            keys,
        }
    }

    fn observer(&self, specs: &[ObserveSpec]) -> Observer {
        Observer::new(specs, self.objects.clone(), "p", RUN)
    }

    async fn shard(&self, seq: u32) -> Option<Shard> {
        let bytes = self.objects.get(&self.keys.shard(OBSERVER, seq)).await;
        Some(decode(&bytes.unwrap()?).unwrap())
    }

    async fn account(&self) -> Observed {
        let account = json::get(self.objects.as_ref(), &self.keys.observed()).await;
        account.unwrap().unwrap()
    }
}

/// The metric, the second that its window begins with, and the value.
fn values(shard: &Shard) -> Vec<(String, i64, f64)> {
    let rows = shard.rows.iter().map(|row| {
        let second = (row.time_ms - START_MS) / 1_000;
        (row.key.metric.clone(), second, row.sum / 1_000.0)
    });
    rows.collect()
}

#[tokio::test]
async fn values_stand_in_shards_in_the_second_that_ends_with_them() {
    let bench = Bench::new().await;
    let (url, _) = server(0).await;
    let specs = [spec("every_5", &url, 5), spec("every_7", &url, 7)];
    let mut observer = bench.observer(&specs);
    for second in 0..=23 {
        observer.step(START_MS + second * 1_000).await;
    }
    let first = bench.shard(0).await.unwrap();
    let of = |metric: &str, second: i64| (metric.to_owned(), second - 1, second as f64);
    assert_eq!(
        values(&first),
        [of("every_5", 5), of("every_5", 10), of("every_7", 7)]
    );
    assert_eq!(
        (first.meta.start_ms, first.meta.end_ms),
        (START_MS, START_MS + 10_000)
    );
    assert_eq!(values(&bench.shard(1).await.unwrap()).len(), 3);
    assert!(bench.shard(2).await.is_none());
    // The load ended within the 26th second: the value at the end of the 25th counts.
    observer.end_at(START_MS + 25_500);
    assert!(!observer.is_settled());
    observer.step(START_MS + 26_600).await;
    assert!(observer.is_settled());
    observer.close().await.unwrap();
    let last = bench.shard(2).await.unwrap();
    assert_eq!(values(&last), [of("every_5", 25), of("every_7", 21)]);
    assert_eq!(last.meta.end_ms, START_MS + 25_500);
    assert_eq!(bench.account().await, Observed::default());
}

#[tokio::test]
async fn what_a_server_did_not_tell_at_first_is_asked_for_again() {
    let bench = Bench::new().await;
    let (url, asked) = server(2).await;
    let mut observer = bench.observer(&[spec("cpu", &url, 1)]);
    for second in 0..=21 {
        observer.step(START_MS + second * 1_000).await;
    }
    assert_eq!(values(&bench.shard(0).await.unwrap()).len(), 10);
    assert_eq!(values(&bench.shard(1).await.unwrap()).len(), 10);
    assert!(
        asked.load(Ordering::Relaxed) <= 21,
        "not more than once a second"
    );
}

#[tokio::test]
async fn a_server_that_is_gone_leaves_shards_without_values_and_the_reason() {
    let bench = Bench::new().await;
    let port = {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        listener.local_addr().unwrap().port()
    };
    let specs = [
        spec("cpu", &format!("http://127.0.0.1:{port}"), 2),
        spec("odd", "http://[/", 2),
    ];
    let mut observer = bench.observer(&specs);
    for second in 0..=60 {
        observer.step(START_MS + second * 1_000).await;
    }
    // A live export waits for it no longer than half a minute.
    assert!(bench.shard(1).await.unwrap().rows.is_empty());
    observer.end_at(START_MS + 60_000);
    observer.close().await.unwrap();
    let problems = bench.account().await.problems;
    assert!(
        problems["cpu"][0].contains("cannot be reached"),
        "{problems:?}"
    );
    assert!(
        problems["odd"][0].contains("not a valid URL"),
        "{problems:?}"
    );
}

/// Says the same to whatever it is asked.
async fn saying(status: &str, body: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let length = body.len();
    let answer =
        format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}");
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut text = String::new();
            while !text.contains("nocache=1") {
                let mut buffer = vec![0; 8_192];
                let read = stream.read(&mut buffer).await.unwrap();
                text.push_str(&String::from_utf8_lossy(&buffer[..read]));
            }
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    url
}

/// A matrix of this value 10 s after the start.
fn matrix(value: &str) -> String {
    let values = format!("[{}.5,\"{value}\"]", START_MS / 1_000 + 10);
    format!(r#"{{"data":{{"resultType":"matrix","result":[{{"values":[{values}]}}]}}}}"#)
}

#[tokio::test]
async fn what_a_source_will_not_tell_is_not_waited_for_when_the_load_has_ended() {
    let none = r#"{"data":{"resultType":"matrix","result":[]}}"#.to_owned();
    for (status, body, settled_after_ms, why) in [
        (
            "400 Bad Request",
            "parse error".to_owned(),
            11_000,
            "answered 400",
        ),
        ("403 Forbidden", String::new(), 11_000, "answered 403"),
        ("200 OK", matrix("-1"), 11_000, "below 0"),
        // A value may be late; how late it is is counted from its own time on.
        ("200 OK", none, 15_000, "it has no value"),
        ("503 Busy", String::new(), i64::MAX, "answered 503"),
    ] {
        let bench = Bench::new().await;
        let url = saying(status, &body).await;
        let mut observer = bench.observer(&[spec("cpu", &url, 10)]);
        for second in 0..=10 {
            observer.step(START_MS + second * 1_000).await;
        }
        observer.end_at(START_MS + 10_000);
        for ms in (10_250..=15_250).step_by(250) {
            observer.step(START_MS + ms).await;
            let is_due = ms >= settled_after_ms;
            assert_eq!(observer.is_settled(), is_due, "{status} {body} {ms}");
        }
        observer.close().await.unwrap();
        let problems = bench.account().await.problems;
        assert!(problems["cpu"][0].contains(why), "{problems:?}");
    }
}

/// A source that was away just before the end of the load, and is back.
#[tokio::test]
async fn the_last_values_are_asked_for_although_the_source_was_to_rest() {
    let bench = Bench::new().await;
    let (url, asked) = server(3).await;
    let mut observer = bench.observer(&[spec("cpu", &url, 5)]);
    for second in 0..=12 {
        observer.step(START_MS + second * 1_000).await;
    }
    // After the third failure it rests for 8 s.
    assert_eq!(asked.load(Ordering::Relaxed), 3);
    observer.end_at(START_MS + 12_100);
    observer.step(START_MS + 13_100).await;
    assert!(observer.is_settled());
    observer.close().await.unwrap();
    let of = |second: i64| ("cpu".to_owned(), second - 1, second as f64);
    assert_eq!(values(&bench.shard(0).await.unwrap()), [of(5), of(10)]);
    assert_eq!(bench.account().await, Observed::default());
}
