//! A server that counts, for recordings: redirects, a page with images, errors.

use anyhow::Result;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Serves until the program ends.
pub(super) struct Server {
    pub(super) addr: SocketAddr,
    requests: Arc<AtomicU64>,
}

impl Server {
    pub(super) fn start() -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let addr = listener.local_addr()?;
        let requests = Arc::new(AtomicU64::new(0));
        let count = requests.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let count = count.clone();
                std::thread::spawn(move || {
                    // A client that goes away ends its thread.
                    let _ = serve(stream, &count);
                });
            }
        });
        Ok(Self { addr, requests })
    }

    /// Requests since the start.
    pub(super) fn requests(&self) -> u64 {
        self.requests.load(Ordering::SeqCst)
    }
}

fn serve(stream: TcpStream, count: &AtomicU64) -> Result<()> {
    stream.set_nodelay(true)?;
    let mut writer = stream.try_clone()?;
    let mut lines = BufReader::new(stream).lines();
    while let Some(first) = lines.next() {
        let first = first?;
        for header in lines.by_ref() {
            if header?.is_empty() {
                break;
            }
        }
        count.fetch_add(1, Ordering::SeqCst);
        let path = first.split(' ').nth(1).unwrap_or("/");
        let (status, location, body) = answer(path);
        let text = format!(
            "HTTP/1.1 {status}\r\nContent-Type: text/html\r\n{location}Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        writer.write_all(text.as_bytes())?;
    }
    Ok(())
}

fn answer(path: &str) -> (&'static str, String, &'static str) {
    const PAGE: &str =
        "<html><img src='/a.png'><img src='/redirect/1'><script src='/s.js'></script></html>";
    let steps = path.strip_prefix("/redirect/").and_then(|n| n.parse().ok());
    match (path, steps) {
        ("/page", _) => ("200 OK", String::new(), PAGE),
        ("/status/404", _) => ("404 Not Found", String::new(), "nothing"),
        (_, Some(steps @ 1_u32..)) => {
            let location = format!("Location: /redirect/{}\r\n", steps - 1);
            ("302 Found", location, "")
        }
        _ => ("200 OK", String::new(), "hello"),
    }
}
