//! Stores on this machine that results are exported to.

use flate2::read::GzDecoder;
use std::collections::VecDeque;
use std::io::Read as _;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// What a store does with a request.
#[derive(Clone, Copy)]
pub enum Answers {
    /// Takes it.
    Taken,
    /// Is full.
    Full,
    /// Never.
    Never,
}

/// Takes InfluxDB's lines by HTTP, as its script says; past it everything.
pub struct Influx {
    pub port: u16,
    /// Lines that were taken.
    lines: Arc<Mutex<Vec<String>>>,
    /// Headers of all requests.
    heads: Arc<Mutex<Vec<String>>>,
}

impl Influx {
    pub async fn start(script: impl IntoIterator<Item = Answers>) -> Self {
        Self::at(0, script).await
    }

    /// At this port; 0 is any.
    pub async fn at(port: u16, script: impl IntoIterator<Item = Answers>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        let store = Self {
            port: listener.local_addr().unwrap().port(),
            lines: Arc::default(),
            heads: Arc::default(),
        };
        let script: Arc<Mutex<VecDeque<Answers>>> =
            Arc::new(Mutex::new(script.into_iter().collect()));
        let (lines, heads) = (store.lines.clone(), store.heads.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (script, lines, heads) = (script.clone(), lines.clone(), heads.clone());
                tokio::spawn(async move { serve(stream, &script, &lines, &heads).await });
            }
        });
        store
    }

    pub fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }

    /// Lines that have come, and how many of them differ.
    pub fn lines(&self) -> (usize, usize) {
        let mut lines = self.lines.lock().unwrap().clone();
        let all = lines.len();
        lines.sort();
        lines.dedup();
        (all, lines.len())
    }

    /// The sum of a field over all different lines of a measurement: one that comes twice is stored once.
    pub fn sum(&self, measurement: &str, field: &str) -> f64 {
        let mut lines = self.lines.lock().unwrap().clone();
        lines.sort();
        lines.dedup();
        let of = lines
            .iter()
            .filter(|l| l.starts_with(&format!("{measurement},")));
        of.filter_map(|line| {
            // measurement,tags fields time: tags escape their spaces.
            let fields = line.rsplit(' ').nth(1)?;
            let value = fields
                .split(',')
                .find_map(|f| f.strip_prefix(field)?.strip_prefix('='))?;
            value.trim_end_matches('i').parse::<f64>().ok()
        })
        .sum()
    }
}

async fn serve(
    mut stream: TcpStream,
    script: &Mutex<VecDeque<Answers>>,
    lines: &Mutex<Vec<String>>,
    heads: &Mutex<Vec<String>>,
) -> Option<()> {
    let mut buffer = Vec::new();
    loop {
        let end = loop {
            if let Some(at) = buffer.windows(4).position(|part| part == b"\r\n\r\n") {
                break at + 4;
            }
            if stream.read_buf(&mut buffer).await.ok()? == 0 {
                return None;
            }
        };
        let head = String::from_utf8_lossy(&buffer[..end]).to_lowercase();
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "));
        let whole = end + length.map_or(0, |length| length.parse().unwrap());
        while buffer.len() < whole {
            if stream.read_buf(&mut buffer).await.ok()? == 0 {
                return None;
            }
        }
        let body: Vec<u8> = buffer.drain(..whole).skip(end).collect();
        heads.lock().unwrap().push(head);
        let answers = script.lock().unwrap().pop_front();
        let answer = match answers.unwrap_or(Answers::Taken) {
            Answers::Never => std::future::pending().await,
            Answers::Full => "HTTP/1.1 503 Full\r\ncontent-length: 0\r\n\r\n",
            Answers::Taken => {
                let mut text = String::new();
                GzDecoder::new(body.as_slice())
                    .read_to_string(&mut text)
                    .unwrap();
                lines
                    .lock()
                    .unwrap()
                    .extend(text.lines().map(str::to_owned));
                "HTTP/1.1 204 No Content\r\n\r\n"
            }
        };
        stream.write_all(answer.as_bytes()).await.ok()?;
    }
}

/// Takes StatsD's lines by TCP.
pub struct Statsd {
    pub port: u16,
    text: Arc<Mutex<String>>,
}

impl Statsd {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let text: Arc<Mutex<String>> = Arc::default();
        let all = text.clone();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut said = String::new();
                stream.read_to_string(&mut said).await.unwrap();
                all.lock().unwrap().push_str(&said);
            }
        });
        Self { port, text }
    }

    /// The sum of a counter, once so much has arrived; what comes after that counts, too.
    pub async fn counter(&self, name: &str, at_least: f64) -> f64 {
        loop {
            let sum = self.sum(name);
            if sum >= at_least {
                return sum;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    }

    pub fn sum(&self, name: &str) -> f64 {
        let text = self.text.lock().unwrap();
        let start = format!("floodgate.{name}:");
        let values = text.lines().filter_map(|line| {
            let (value, _) = line.strip_prefix(&start)?.split_once("|c")?;
            value.parse::<f64>().ok()
        });
        values.sum()
    }
}
