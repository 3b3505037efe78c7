//! A receiver of HTTP on loopback that does what a test says.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// What it got.
#[derive(Clone, Debug)]
pub struct Request {
    pub path: String,
    pub head: String,
    pub body: String,
}

impl Request {
    pub fn header(&self, name: &str) -> String {
        let start = format!("{name}: ");
        let line = self.head.lines().find_map(|line| line.strip_prefix(&start));
        line.unwrap_or_default().to_owned()
    }
}

#[derive(Default)]
struct Shared {
    got: Vec<Request>,
    /// What is answered after the head of the status line, `200 OK` if it is empty.
    answer: String,
}

/// The receiver; it serves until the test's process ends.
pub struct Receiver {
    port: u16,
    shared: Arc<Mutex<Shared>>,
}

impl Receiver {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared: Arc<Mutex<Shared>> = Arc::default();
        let own = shared.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let own = own.clone();
                std::thread::spawn(move || serve(stream, &own));
            }
        });
        Self { port, shared }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Answers this from now on: `503 Busy`, with further headers after line breaks.
    pub fn answer(&self, answer: &str) {
        answer.clone_into(&mut self.shared.lock().unwrap().answer);
    }

    /// What came since the last time.
    pub fn take(&self) -> Vec<Request> {
        std::mem::take(&mut self.shared.lock().unwrap().got)
    }
}

fn serve(mut stream: TcpStream, shared: &Mutex<Shared>) -> Option<()> {
    let mut bytes = Vec::new();
    let head = loop {
        let end = bytes.windows(4).position(|part| part == b"\r\n\r\n");
        if let Some(end) = end {
            break end;
        }
        read(&mut stream, &mut bytes)?;
    };
    let text = String::from_utf8(bytes[..head].to_vec()).unwrap();
    let mut request = Request {
        path: text.split(' ').nth(1)?.to_owned(),
        head: text,
        body: String::new(),
    };
    let length: usize = request.header("content-length").parse().unwrap_or(0);
    while bytes.len() < head + 4 + length {
        read(&mut stream, &mut bytes)?;
    }
    request.body = String::from_utf8_lossy(&bytes[head + 4..]).into_owned();
    let answer = {
        let mut shared = shared.lock().unwrap();
        shared.got.push(request);
        match shared.answer.is_empty() {
            true => "200 OK".to_owned(),
            false => shared.answer.clone(),
        }
    };
    let answer = answer.replace('\n', "\r\n");
    let answer = format!("HTTP/1.1 {answer}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
    stream.write_all(answer.as_bytes()).ok()
}

fn read(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> Option<()> {
    let mut piece = [0; 8_192];
    let read = stream.read(&mut piece).ok()?;
    bytes.extend_from_slice(&piece[..read]);
    (read > 0).then_some(())
}
