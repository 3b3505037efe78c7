//! The server that everything is measured against: `floodgate-testserver` as a process of its own.

use super::context::Context;
use super::process::pinned;
use anyhow::{Context as _, Result, ensure};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A server that runs until this is dropped.
pub(super) struct Server {
    child: Child,
    /// `http://127.0.0.1:PORT`.
    pub(super) url: String,
}

impl Server {
    /// Starts `floodgate-testserver` on the server's core.
    pub(super) fn start(context: &Context, arguments: &[&str]) -> Result<Self> {
        let mut command = Command::new(&context.target);
        command.args(arguments);
        let mut child = pinned(&command, context.cores.server)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("start {}", context.target.display()))?;
        let mut url = String::new();
        let stdout = child
            .stdout
            .take()
            .context("the server's output is not captured")?;
        BufReader::new(stdout).read_line(&mut url)?;
        // From here on dropping stops it, whatever it printed.
        let server = Self {
            child,
            url: url.trim().to_owned(),
        };
        ensure!(
            server.url.starts_with("http"),
            "floodgate-testserver {arguments:?} printed no url"
        );
        Ok(server)
    }

    /// When each request came since the last asking, ns.
    pub(super) fn arrivals_ns(&self) -> Result<Vec<u64>> {
        let body = self.get("/__arrivals")?;
        body.lines()
            .map(|line| line.parse().with_context(|| format!("arrival {line:?}")))
            .collect()
    }

    /// The body of a plain answer.
    fn get(&self, path: &str) -> Result<String> {
        let addr = self
            .url
            .strip_prefix("http://")
            .context("only plain http can be asked")?;
        let mut stream = TcpStream::connect(addr)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        write!(stream, "GET {path} HTTP/1.1\r\nhost: {addr}\r\n\r\n")?;
        let mut reader = BufReader::new(stream);
        let mut length = 0;
        loop {
            let mut line = String::new();
            ensure!(
                reader.read_line(&mut line)? > 0,
                "{path}: the answer breaks off"
            );
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse()?;
            }
            if line.trim().is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        Ok(String::from_utf8(body)?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail only if it has ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
