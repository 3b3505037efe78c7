//! A server in front of the emulator that fails as it is told to.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// What happens to connections.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Fault {
    /// Nothing.
    None,
    /// They are cut before an answer.
    Cut,
    /// The request reaches the emulator, the answer does not come back.
    LostAnswer,
    /// The same of the first request that names this; what comes before it is answered.
    LostAnswerTo(&'static str),
    /// They get this answer: status line, headers, body.
    Answer(String),
}

/// An answer in XML, as of S3.
pub(crate) fn s3_error(status: u16, code: &str) -> Fault {
    let body = format!("<Error><Code>{code}</Code><Message>because</Message></Error>");
    answer(status, "application/xml", &body)
}

/// An answer in JSON, as of DynamoDB.
pub(crate) fn dynamodb_error(status: u16, code: &str) -> Fault {
    let body =
        format!(r#"{{"__type":"com.amazonaws.dynamodb.v20120810#{code}","message":"because"}}"#);
    answer(status, "application/x-amz-json-1.0", &body)
}

fn answer(status: u16, kind: &str, body: &str) -> Fault {
    Fault::Answer(format!(
        "HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    ))
}

/// A proxy. It ends with its test's runtime.
pub(crate) struct Proxy {
    address: String,
    faults: Arc<Mutex<Faults>>,
    /// Connections end when it changes.
    changes: watch::Sender<u64>,
}

struct Faults {
    fault: Fault,
    /// For how many more connections.
    left: usize,
    /// How many connections met a fault.
    met: usize,
}

impl Proxy {
    /// Starts one in front of an address such as `http://127.0.0.1:4566`.
    pub(crate) async fn start(behind: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let faults = Arc::new(Mutex::new(Faults {
            fault: Fault::None,
            left: 0,
            met: 0,
        }));
        let changes = watch::Sender::new(0);
        let behind = behind
            .trim_start_matches("http://")
            .trim_end_matches('/')
            .to_owned();
        let (shared, end) = (faults.clone(), changes.clone());
        tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                let fault = {
                    let mut faults = shared.lock().unwrap();
                    if faults.left == 0 {
                        Fault::None
                    } else {
                        faults.left -= 1;
                        faults.met += 1;
                        faults.fault.clone()
                    }
                };
                let (behind, mut end) = (behind.clone(), end.subscribe());
                tokio::spawn(async move {
                    tokio::select! {
                        () = serve(client, &behind, fault) => {}
                        _ = end.changed() => {}
                    }
                });
            }
        });
        Self {
            address,
            faults,
            changes,
        }
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Ends all connections, and has the next ones meet a fault.
    pub(crate) fn fail(&self, fault: Fault, connections: usize) {
        *self.faults.lock().unwrap() = Faults {
            fault,
            left: connections,
            met: 0,
        };
        self.changes.send_modify(|number| *number += 1);
    }

    /// How many connections have met the fault.
    pub(crate) fn met(&self) -> usize {
        self.faults.lock().unwrap().met
    }
}

async fn serve(mut client: TcpStream, behind: &str, fault: Fault) {
    match fault {
        Fault::None => {
            let mut server = TcpStream::connect(behind).await.unwrap();
            // Either side may go away.
            let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
        }
        Fault::Cut => {
            // Some of the request, so that it is under way.
            let _ = client.read(&mut [0; 100]).await;
        }
        Fault::LostAnswer => {
            let mut server = TcpStream::connect(behind).await.unwrap();
            let (mut from_client, _to_client) = client.split();
            let (mut from_server, mut to_server) = server.split();
            let mut answer = [0; 10_000];
            tokio::select! {
                _ = tokio::io::copy(&mut from_client, &mut to_server) => {}
                _ = from_server.read(&mut answer) => {}
            }
        }
        Fault::LostAnswerTo(named) => Box::pin(lose_answer_to(client, behind, named)).await,
        Fault::Answer(answer) => {
            read_request(&mut client).await;
            let _ = client.write_all(answer.as_bytes()).await;
            let _ = client.shutdown().await;
        }
    }
}

async fn lose_answer_to(mut client: TcpStream, behind: &str, named: &str) {
    let mut server = TcpStream::connect(behind).await.unwrap();
    let (mut from_client, mut to_client) = client.split();
    let (mut from_server, mut to_server) = server.split();
    let asked = AtomicBool::new(false);
    let up = async {
        let mut piece = [0; 10_000];
        while let Ok(n @ 1..) = from_client.read(&mut piece).await {
            if String::from_utf8_lossy(&piece[..n]).contains(named) {
                asked.store(true, Ordering::Relaxed);
            }
            to_server.write_all(&piece[..n]).await.unwrap();
        }
    };
    let down = async {
        let mut piece = [0; 10_000];
        while let Ok(n @ 1..) = from_server.read(&mut piece).await {
            if asked.load(Ordering::Relaxed) {
                return;
            }
            to_client.write_all(&piece[..n]).await.unwrap();
        }
    };
    tokio::select! {
        () = up => {}
        () = down => {}
    }
}

/// Reads a request to its end: an answer before that could be lost by a reset of the connection.
async fn read_request(client: &mut TcpStream) {
    let mut request = Vec::new();
    let mut piece = [0; 10_000];
    loop {
        let text = String::from_utf8_lossy(&request).to_ascii_lowercase();
        if let Some(end) = text.find("\r\n\r\n") {
            let length = text[..end]
                .lines()
                .find_map(|line| line.strip_prefix("content-length:"))
                .map_or(0, |length| length.trim().parse::<usize>().unwrap());
            if request.len() >= end + 4 + length {
                return;
            }
        }
        match client.read(&mut piece).await {
            Ok(0) | Err(_) => return,
            Ok(n) => request.extend(&piece[..n]),
        }
    }
}
