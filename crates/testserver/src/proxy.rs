//! An HTTP/1.1 proxy on loopback that lets requests through to another server there, or not, by rule: what a service
//! looks like that fails for a while, or for some requests only.
//!
//! ```no_run
//! use floodgate_testserver::proxy::{Fault, Proxy, Rule};
//! let proxy = Proxy::start("127.0.0.1:4566".parse()?)?;
//! proxy.set(vec![Rule::all(Fault::Status(503))]);
//! std::thread::sleep(std::time::Duration::from_secs(10));
//! proxy.set(vec![]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Either, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use tokio::net::TcpStream;
use tokio::sync::{oneshot, watch};
use tokio::task::LocalSet;

/// What becomes of a request that a [`Rule`] names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is answered with this status and an empty body; its own body is read first.
    Status(u16),
    /// Its connection is closed without an answer.
    Close,
    /// It waits until a rule for it is no longer in force, and is then treated by what is.
    Hold,
}

/// Requests, and what becomes of them. The first rule that names a request holds for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Only requests of this method; `None` for all.
    pub method: Option<http::Method>,
    /// Only requests whose path contains this; empty for all.
    pub path: String,
    /// What becomes of them.
    pub fault: Fault,
}

impl Rule {
    /// All requests.
    pub fn all(fault: Fault) -> Self {
        Self::path("", fault)
    }

    /// The requests of any method whose path contains this.
    pub fn path(path: &str, fault: Fault) -> Self {
        Self {
            method: None,
            path: path.to_owned(),
            fault,
        }
    }

    fn names(&self, method: &http::Method, path: &str) -> bool {
        self.method.as_ref().is_none_or(|wanted| wanted == method) && path.contains(&self.path)
    }
}

/// A running proxy. Dropping it stops it.
#[derive(Debug)]
pub struct Proxy {
    addr: SocketAddr,
    rules: watch::Sender<Vec<Rule>>,
    faults: Arc<AtomicU64>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl Proxy {
    /// Listens on a free port of 127.0.0.1 and passes everything on to `upstream`, until rules are set.
    ///
    /// # Errors
    /// If there is no port, descriptor or thread left.
    pub fn start(upstream: SocketAddr) -> io::Result<Self> {
        let listener = crate::listen::bind(0)?;
        let addr = listener.local_addr()?;
        let (rules, in_force) = watch::channel(Vec::new());
        let (stop, stopped) = oneshot::channel();
        let faults = Arc::new(AtomicU64::new(0));
        let door = Door {
            upstream,
            rules: in_force,
            faults: faults.clone(),
        };
        let thread = std::thread::Builder::new()
            .name("floodgate-proxy".into())
            .spawn(move || run(listener, stopped, door))?;
        Ok(Self {
            addr,
            rules,
            faults,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Replaces the rules; held requests are looked at again.
    pub fn set(&self, rules: Vec<Rule>) {
        self.rules.send_replace(rules);
    }

    /// Requests that met a fault so far; a held one counts once.
    pub fn faults(&self) -> u64 {
        self.faults.load(Ordering::Relaxed)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // Sending fails when the thread has ended already.
        let _ = self.stop.take().map(|stop| stop.send(()));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// What every connection shares.
#[derive(Clone)]
struct Door {
    upstream: SocketAddr,
    rules: watch::Receiver<Vec<Rule>>,
    faults: Arc<AtomicU64>,
}

type Answer = Response<Either<Incoming, Full<Bytes>>>;

/// Why a connection is closed without an answer.
#[derive(Debug, thiserror::Error)]
enum Closed {
    #[error("closed by rule")]
    ByRule,
    #[error("the server behind the proxy: {0}")]
    Upstream(#[from] hyper::Error),
    #[error("the server behind the proxy: {0}")]
    Connect(#[from] io::Error),
}

fn run(
    listener: std::net::TcpListener,
    stopped: oneshot::Receiver<()>,
    door: Door,
) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    LocalSet::new().block_on(&runtime, async move {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let accepting = async {
            loop {
                let stream = crate::listen::accept(&listener).await?;
                let door = door.clone();
                let service = service_fn(move |request| door.clone().pass(request));
                tokio::task::spawn_local(async move {
                    let connection = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service);
                    // A connection that is closed is what was asked for, or the client's own doing.
                    let _ = connection.await;
                });
            }
        };
        tokio::select! {
            result = accepting => result,
            _ = stopped => Ok(()),
        }
    })
}

impl Door {
    async fn pass(self, request: Request<Incoming>) -> Result<Answer, Closed> {
        match self.fault(request.method(), request.uri().path()).await {
            None => self.forward(request).await,
            Some(Fault::Status(code)) => Ok(refuse(request, code).await),
            Some(Fault::Close | Fault::Hold) => Err(Closed::ByRule),
        }
    }

    /// The fault that a request meets, once it is not held any longer.
    async fn fault(&self, method: &http::Method, path: &str) -> Option<Fault> {
        let mut rules = self.rules.clone();
        let mut met = false;
        loop {
            let named = rules
                .borrow_and_update()
                .iter()
                .find(|rule| rule.names(method, path))
                .map(|rule| rule.fault);
            if named.is_some() && !met {
                met = true;
                self.faults.fetch_add(1, Ordering::Relaxed);
            }
            if named != Some(Fault::Hold) {
                return named;
            }
            if rules.changed().await.is_err() {
                return Some(Fault::Close);
            }
        }
    }

    /// One connection a request: a proxy for tests need not be fast.
    async fn forward(&self, request: Request<Incoming>) -> Result<Answer, Closed> {
        let stream = TcpStream::connect(self.upstream).await?;
        stream.set_nodelay(true)?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        tokio::task::spawn_local(async move {
            // Its errors are also those of the request.
            let _ = connection.await;
        });
        let answer = sender.send_request(request).await?;
        Ok(answer.map(Either::Left))
    }
}

async fn refuse(request: Request<Incoming>, code: u16) -> Answer {
    // A client that is still sending would not look at the answer.
    let _ = request.into_body().collect().await;
    let mut answer = Response::new(Either::Right(Full::default()));
    *answer.status_mut() = StatusCode::from_u16(code).unwrap_or(StatusCode::BAD_GATEWAY);
    answer
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_names_requests_by_method_and_path() {
        let rule = Rule {
            method: Some(http::Method::PUT),
            path: "/control/ready/".into(),
            fault: Fault::Hold,
        };
        assert!(rule.names(&http::Method::PUT, "/bucket/x/control/ready/0001"));
        assert!(!rule.names(&http::Method::GET, "/bucket/x/control/ready/0001"));
        assert!(!rule.names(&http::Method::PUT, "/bucket/x/control/start.json"));
        assert!(Rule::all(Fault::Close).names(&http::Method::GET, "/"));
    }
}
