//! An end point that Prometheus scrapes while a run goes on. It ends with the program: then Prometheus itself marks the series as ended.

use super::names::run_labels;
use super::text;
use crate::row::Row;
use crate::running::Running;
use crate::sink::{Accepted, End, Run, Sink, SinkError};
use crate::target::{Scheme, Target, TargetError};
use async_trait::async_trait;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// `metrics://HOST:PORT`.
pub(crate) static SCHEME: Scheme = Scheme {
    names: &["metrics"],
    tls_names: &[],
    shown: "metrics://HOST:PORT",
    default_port: Some(9464),
    options: &[],
    password_env: &[],
    token_env: &[],
    again_is_the_same: false,
    serves: true,
    open,
};

/// Bytes of a request at most.
const MAX_REQUEST: usize = 8 << 10;
/// How long a connection may take.
const PATIENCE: Duration = Duration::from_secs(5);

fn open(target: &Target, run: &Run) -> Result<Box<dyn Sink>, TargetError> {
    let shared = Arc::new(Shared {
        running: Mutex::default(),
        run: run_labels(run),
    });
    let mut scrape = Scrape {
        shared,
        target: Some(target.clone()),
        server: None,
    };
    // Whoever scrapes before there is anything is told so.
    if target.listener.is_some() && Handle::try_current().is_ok() {
        scrape
            .serve()
            .map_err(|error| TargetError::new(&target.url, error.told()))?;
    }
    Ok(Box::new(scrape))
}

struct Shared {
    running: Mutex<Running>,
    run: Vec<(String, String)>,
}

impl Shared {
    fn running(&self) -> MutexGuard<'_, Running> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Scrape {
    shared: Arc<Shared>,
    /// Until it is served.
    target: Option<Target>,
    server: Option<JoinHandle<()>>,
}

impl Scrape {
    fn serve(&mut self) -> Result<(), SinkError> {
        let Some(target) = self.target.take() else {
            return Ok(());
        };
        let listener = target.listen();
        let listener = listener.map_err(|error| SinkError::never(error.problem))?;
        let listener = TcpListener::from_std(listener)
            .map_err(|error| SinkError::never("cannot listen").because(error))?;
        let shared = self.shared.clone();
        self.server = Some(tokio::spawn(async move {
            // One at a time: whoever scrapes comes every few seconds.
            while let Ok((stream, _)) = listener.accept().await {
                let _ = timeout(PATIENCE, answer(stream, &shared)).await;
            }
        }));
        Ok(())
    }
}

impl Drop for Scrape {
    fn drop(&mut self) {
        if let Some(server) = &self.server {
            server.abort();
        }
    }
}

#[async_trait]
impl Sink for Scrape {
    async fn push(&mut self, rows: &[Row]) -> Result<Accepted, SinkError> {
        self.serve()?;
        let mut running = self.shared.running();
        let mut batch = running.batch();
        for row in rows {
            batch.add(row);
        }
        let changed = batch.changed();
        running.take(changed);
        Ok(Accepted::ALL)
    }

    async fn finish(&mut self, _: &End<'_>) -> Result<Accepted, SinkError> {
        Ok(Accepted::ALL)
    }
}

async fn answer(mut stream: TcpStream, shared: &Shared) -> std::io::Result<()> {
    let mut request = Vec::new();
    while !request.windows(4).any(|end| end == b"\r\n\r\n") {
        if request.len() > MAX_REQUEST || stream.read_buf(&mut request).await? == 0 {
            return Ok(());
        }
    }
    let (status, kind, body) = match path(&request) {
        Some("/metrics") => {
            let text = text::text(&shared.running(), &shared.run);
            ("200 OK", text::CONTENT_TYPE, text)
        }
        Some("/") => ("200 OK", "text/plain", "see /metrics\n".to_owned()),
        Some(_) => ("404 Not Found", "text/plain", "see /metrics\n".to_owned()),
        None => (
            "405 Method Not Allowed",
            "text/plain",
            "GET only\n".to_owned(),
        ),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body.as_bytes()).await?;
    stream.shutdown().await
}

/// The path that is asked for with GET, without its query.
fn path(request: &[u8]) -> Option<&str> {
    let line = request.split(|&byte| byte == b'\r').next()?;
    let mut words = std::str::from_utf8(line).ok()?.split(' ');
    let is_get = words.next() == Some("GET");
    let path = words.next()?.split('?').next()?;
    is_get.then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_gets_have_a_path() {
        assert_eq!(
            path(b"GET /metrics?x=1 HTTP/1.1\r\nHost: a\r\n\r\n"),
            Some("/metrics")
        );
        assert_eq!(path(b"POST /metrics HTTP/1.1\r\n\r\n"), None);
        assert_eq!(path(b"\xff\r\n\r\n"), None);
        assert_eq!(path(b"GET\r\n\r\n"), None);
    }
}
