//! Loopback HTTP servers to test, demonstrate and measure Floodgate against.
//!
//! * [`service`]: a small shop with realistic latencies, for `floodgate demo` and for end-to-end tests;
//! * [`faulty`]: raw TCP that misbehaves by script, for tests of everything that a server can do wrong;
//! * [`fast`]: as little work a request as possible, for benchmarks;
//! * [`proxy`]: stands before another server and lets requests through, or not, by rule.
//!
//! Each runs in a thread of its own, listens on 127.0.0.1 only, and counts what it receives.
//!
//! ```
//! use floodgate_testserver::{Config, TestServer};
//! let target = TestServer::start(Config::service())?;
//! println!("serving {}", target.url());
//! assert_eq!(target.counters().requests(), 0);
//! target.stop();
//! # Ok::<(), floodgate_testserver::StartError>(())
//! ```

mod config;
mod counters;
pub mod fast;
pub mod faulty;
mod listen;
pub mod precise;
pub mod proxy;
pub mod service;
#[cfg(feature = "tls")]
pub mod tls;
#[cfg(not(feature = "tls"))]
#[path = "no_tls.rs"]
pub mod tls;

pub use config::{Config, Kind};
pub use counters::{Counters, OTHER};

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use tokio::sync::oneshot;

/// Why a server could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The port is taken, or there are no descriptors or threads left.
    #[error("start a target on 127.0.0.1:{port}: {source}")]
    Io {
        /// The port asked for; 0 for any.
        port: u16,
        /// What the system said.
        source: io::Error,
    },
    /// Certificates could not be made.
    #[error(transparent)]
    Tls(#[from] tls::TlsError),
    /// A combination that no server of this kind serves.
    #[error("{0}")]
    Unsupported(&'static str),
}

/// A running target. Dropping it stops it.
#[derive(Debug)]
pub struct TestServer {
    addr: SocketAddr,
    counters: Arc<Counters>,
    certificates: Option<tls::Certificates>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl TestServer {
    /// Binds, starts the thread and returns once connections are accepted.
    ///
    /// # Errors
    /// See [`StartError`].
    pub fn start(config: Config) -> Result<Self, StartError> {
        let port = config.port;
        let io = |source| StartError::Io { port, source };
        let certificates = tls::Certificates::of(config.tls, config.offers_http2())?;
        if matches!(
            config.kind,
            Kind::Fast(fast::Options { arrivals: true, .. })
        ) && (config.http2 || config.tls.is_some())
        {
            return Err(StartError::Unsupported(
                "arrival times are kept by the plain http/1.1 fast target only",
            ));
        }
        let listener = listen::bind(port).map_err(io)?;
        let addr = listener.local_addr().map_err(io)?;
        let counters = Arc::new(Counters::default());
        let (stop, stopped) = oneshot::channel();
        let server = listen::Server {
            listener,
            counters: counters.clone(),
            tls: certificates.as_ref().map(tls::Certificates::acceptor),
            http2: config.offers_http2(),
        };
        let thread = std::thread::Builder::new()
            .name("floodgate-testserver".into())
            .spawn(move || match config.kind {
                Kind::Service(options) => {
                    listen::run(server, stopped, service::Shop::factory(options))
                }
                Kind::Faulty(script) => {
                    listen::run(server, stopped, faulty::Faulty::factory(script))
                }
                Kind::Fast(options) => fast::run(server, stopped, options),
            })
            .map_err(io)?;
        Ok(Self {
            addr,
            counters,
            certificates,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// `http://127.0.0.1:PORT`, or `https://` with TLS; no slash at the end.
    pub fn url(&self) -> String {
        let scheme = if self.certificates.is_some() {
            "https"
        } else {
            "http"
        };
        format!("{scheme}://{}", self.addr)
    }

    /// What it has received so far.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Its certificates; `None` without TLS.
    pub fn certificates(&self) -> Option<&tls::Certificates> {
        self.certificates.as_ref()
    }

    /// The authority to trust, PEM; `None` without TLS.
    pub fn ca_pem(&self) -> Option<&str> {
        self.certificates.as_ref().map(tls::Certificates::ca_pem)
    }

    /// Closes the listener and all connections, and waits for the thread.
    pub fn stop(mut self) {
        self.end();
    }

    /// Waits until the server ends by itself, which it does only when its listener fails.
    ///
    /// # Errors
    /// What made it end.
    pub fn wait(mut self) -> io::Result<()> {
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(result)) => result,
            _ => Err(io::Error::other("the target's thread panicked")),
        }
    }

    fn end(&mut self) {
        // Sending fails when the thread has ended already.
        let _ = self.stop.take().map(|stop| stop.send(()));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.end();
    }
}
