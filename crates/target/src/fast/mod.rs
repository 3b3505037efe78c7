//! The benchmark's server: as little work a request as possible, so that it is not what is measured.
//!
//! Plain HTTP/1.1 runs on an epoll loop of its own (`plain.rs`); TLS and HTTP/2 run on tokio. Every `GET`
//! gets the same answer whatever its path; anything else is a 405 and a closed connection. Two paths are for the
//! benchmark itself, plain HTTP/1.1 only, and are not counted: `/__arrivals` (with [`Options::arrivals`]: the time of
//! every request since the last asking, ns, a line each) and `/__count` (requests so far).

mod arrivals;
mod http1;
mod http2;
mod plain;
mod scan;

use crate::counters::Counters;
use crate::listen::{Handler, Server, Stream};
use crate::precise::Timer;
use bytes::Bytes;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use tokio::sync::oneshot;

/// What the fast target sends and keeps.
#[derive(Clone, Debug)]
pub struct Options {
    /// Bytes of the body, at most 1 MiB.
    pub body_bytes: usize,
    /// Keeps the time of every request for `/__arrivals`, of the first 10 million.
    pub arrivals: bool,
}

/// The largest body.
pub const MAX_BODY_BYTES: usize = 1 << 20;

impl Default for Options {
    fn default() -> Self {
        Self {
            body_bytes: 128,
            arrivals: false,
        }
    }
}

impl Options {
    fn body(&self) -> Bytes {
        Bytes::from(vec![b'f'; self.body_bytes])
    }

    /// The whole HTTP/1.1 answer, with the headers of an ordinary server.
    fn answer(&self) -> Vec<u8> {
        let mut answer = format!(
            "HTTP/1.1 200 OK\r\nserver: floodgate-target\r\ncontent-type: text/plain; charset=utf-8\r\n\
             content-length: {}\r\n\r\n",
            self.body_bytes
        )
        .into_bytes();
        answer.extend_from_slice(&self.body());
        answer
    }
}

/// Serves until `stopped` resolves.
pub(crate) fn run(
    server: Server,
    stopped: oneshot::Receiver<()>,
    options: Options,
) -> io::Result<()> {
    if server.tls.is_none() && !server.http2 {
        return plain::run(&server, stopped, &options);
    }
    crate::listen::run(server, stopped, |counters, _: Timer| Fast {
        counters,
        answer: options.answer(),
        body: options.body(),
    })
}

/// The fast target on tokio, for TLS and HTTP/2.
struct Fast {
    counters: Arc<Counters>,
    answer: Vec<u8>,
    body: Bytes,
}

impl Handler for Fast {
    async fn serve(self: Rc<Self>, stream: impl Stream, http2: bool) -> io::Result<()> {
        if http2 {
            http2::serve(&self, stream).await
        } else {
            http1::serve(&self, stream).await
        }
    }
}
