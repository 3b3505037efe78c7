//! What a run exports while it goes on and after its verdict: the real function, called by Lambda, in its own role.

use crate::execution::{PROJECT, arrivals};
use crate::stack::Stack;
use flate2::read::GzDecoder;
use floodgate_store::RecordStore as _;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{IpAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Longer than Lambda takes to call, and a function to export, on a slow machine.
const PATIENCE: Duration = Duration::from_secs(90);

/// This machine's address in its network: functions connect to no loopback address. No packet is sent to find it.
fn own_address() -> IpAddr {
    let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
    let routed = socket.connect("198.51.100.1:9");
    routed.expect("this machine has an address beside loopback");
    socket.local_addr().unwrap().ip()
}

/// A store that takes InfluxDB's lines from whoever has the token, and nothing from others.
struct Store {
    url: String,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Store {
    fn start() -> Self {
        let address = own_address();
        let listener = TcpListener::bind((address, 0)).unwrap();
        let url = format!(
            "influxdb://{}/load?org=shop",
            listener.local_addr().unwrap()
        );
        let lines: Arc<Mutex<Vec<String>>> = Arc::default();
        let all = lines.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let all = all.clone();
                std::thread::spawn(move || while serve(&stream, &all).is_some() {});
            }
        });
        Self { url, lines }
    }

    /// Requests of a run, or of all if none is named.
    fn sum(&self, id: &str) -> f64 {
        let lines = self.lines.lock().unwrap();
        let of = lines
            .iter()
            .filter(|line| line.starts_with("http_reqs,") && line.contains(id));
        let values = of.filter_map(|line| {
            let value = line.split("value=").nth(1)?.split([' ', ',']).next()?;
            value.parse::<f64>().ok()
        });
        values.sum()
    }
}

/// One request of a connection; `None` at its end.
fn serve(stream: &TcpStream, all: &Mutex<Vec<String>>) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let (mut length, mut allowed) = (0, false);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let line = line.trim().to_lowercase();
        if let Some(given) = line.strip_prefix("content-length: ") {
            length = given.parse().ok()?;
        }
        allowed |= line == "authorization: token open sesame";
        if line.is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let answer = if allowed {
        let mut text = String::new();
        GzDecoder::new(body.as_slice())
            .read_to_string(&mut text)
            .ok()?;
        all.lock().unwrap().extend(text.lines().map(str::to_owned));
        "HTTP/1.1 204 No Content\r\n\r\n"
    } else {
        "HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n"
    };
    let mut writer = stream;
    writer.write_all(answer.as_bytes()).ok()
}

/// Waits for what is to come true.
async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !holds().await {
        assert!(
            begun.elapsed() < PATIENCE,
            "{what}: not within {PATIENCE:?}"
        );
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

#[tokio::test]
#[ignore = "needs the emulator: cargo xtask test"]
async fn a_run_is_exported_from_its_beginning_and_a_sink_that_refuses_is_told_of() {
    let stack = Stack::shared().await;
    let (takes, refuses) = (Store::start(), Store::start());
    let exports = format!(
        "export:\n  - {{to: \"{}\", token: \"${{secret:floodgate/cloud/token}}\", live: true}}\n  - {}\n",
        takes.url, refuses.url
    );
    // Twice as long as it takes until tasks write their first shard.
    let definition = |url: &str| arrivals("exported", url, (50, "25s"), 2, &exports);
    let carried_out = async {
        let carried_out = stack.run_to_pass("exported", definition).await;
        (carried_out, Instant::now())
    };
    let first_rows = async {
        until("the first rows", async || takes.sum("") > 0.0).await;
        Instant::now()
    };
    let (((run, ended, _shop), ended_at), first_rows_at) = tokio::join!(carried_out, first_rows);
    assert!(first_rows_at < ended_at);
    let summary = ended.summary.as_ref().unwrap();
    let sent = summary.metrics["http_reqs"].values["count"];
    until("all rows", async || takes.sum(&run.id) >= sent).await;
    assert_eq!(takes.sum(&run.id), sent);
    let command = format!(
        "again: floodgate export {} --cloud --to '{}'",
        run.id, refuses.url
    );
    let warned = async || {
        let record = stack.records.get(Some(PROJECT), &run.id).await.unwrap();
        let warnings = record.unwrap().warnings;
        assert!(
            !warnings.iter().any(|w| w.contains(&takes.url)),
            "{warnings:?}"
        );
        warnings
            .iter()
            .any(|w| w.ends_with(&command) && w.contains("401"))
    };
    until("a warning", warned).await;
    assert_eq!(refuses.sum(""), 0.0);
}
