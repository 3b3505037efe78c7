//! As much of S3 as a task needs: objects by path over HTTP, in memory. It can be told to say nothing for a while.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

/// A server that runs until the process ends.
#[derive(Clone, Default)]
pub(crate) struct S3 {
    objects: Arc<Mutex<BTreeMap<String, Vec<u8>>>>,
    requests: Arc<Mutex<BTreeMap<String, u64>>>,
    silent: Arc<AtomicBool>,
}

impl S3 {
    /// Serves on any free port of 127.0.0.1.
    pub(crate) fn start() -> (Self, SocketAddr) {
        let server = Self::default();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        let accepting = server.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let server = accepting.clone();
                std::thread::spawn(move || server.serve(stream));
            }
        });
        (server, addr)
    }

    /// From now on connections are accepted and nothing is answered.
    pub(crate) fn fall_silent(&self, silent: bool) {
        self.silent.store(silent, Ordering::SeqCst);
    }

    /// The object at `bucket/key`.
    pub(crate) fn get(&self, path: &str) -> Option<Vec<u8>> {
        self.objects.lock().unwrap().get(path).cloned()
    }

    pub(crate) fn put(&self, path: &str, bytes: impl Into<Vec<u8>>) {
        self.objects
            .lock()
            .unwrap()
            .insert(path.to_owned(), bytes.into());
    }

    /// How often something was asked for, such as `GET bucket/key`.
    pub(crate) fn count(&self, request: &str) -> u64 {
        self.requests
            .lock()
            .unwrap()
            .get(request)
            .copied()
            .unwrap_or(0)
    }

    fn serve(&self, stream: TcpStream) {
        let Ok(mut writer) = stream.try_clone() else {
            return;
        };
        let mut reader = BufReader::new(stream);
        while let Some((method, path, body)) = read(&mut reader) {
            while self.silent.load(Ordering::SeqCst) {
                std::thread::sleep(std::time::Duration::from_millis(20));
            }
            *self
                .requests
                .lock()
                .unwrap()
                .entry(format!("{method} {path}"))
                .or_default() += 1;
            let (status, body) = match method.as_str() {
                "PUT" => {
                    self.put(&path, body);
                    ("200 OK", Vec::new())
                }
                _ => match self.get(&path) {
                    Some(object) => ("200 OK", object),
                    None => (
                        "404 Not Found",
                        b"<?xml version=\"1.0\"?><Error><Code>NoSuchKey</Code><Message>none</Message></Error>".to_vec(),
                    ),
                },
            };
            let head = format!(
                "HTTP/1.1 {status}\r\nContent-Length: {}\r\nETag: \"x\"\r\n\r\n",
                body.len()
            );
            if writer
                .write_all(&[head.as_bytes(), &body].concat())
                .is_err()
            {
                return;
            }
        }
    }
}

/// One request: method, path without its first slash and its query, body.
fn read(reader: &mut BufReader<TcpStream>) -> Option<(String, String, Vec<u8>)> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
    let mut words = line.split(' ');
    let (method, path) = (words.next()?.to_owned(), words.next()?);
    let path = path.trim_start_matches('/').split('?').next()?.to_owned();
    let mut length = 0;
    loop {
        let mut header = String::new();
        reader
            .read_line(&mut header)
            .ok()
            .filter(|read| *read > 0)?;
        let header = header.trim_end().to_ascii_lowercase();
        if header.is_empty() {
            break;
        }
        if let Some(value) = header.strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        if header == "expect: 100-continue" {
            reader
                .get_mut()
                .write_all(b"HTTP/1.1 100 Continue\r\n\r\n")
                .ok()?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((method, path, body))
}
