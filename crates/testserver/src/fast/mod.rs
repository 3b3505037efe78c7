//! The benchmark's server: as little work a request as possible, so that it is not what is measured.
//!
//! Plain HTTP/1.1 runs on an epoll loop of its own (`plain.rs`); TLS and HTTP/2 run on tokio. Every `GET`
//! gets the same answer whatever its path; anything else is a 405 and a closed connection. Two paths are for the
//! benchmark itself, plain HTTP/1.1 only, and are not counted: `/__arrivals` (with [`Options::arrivals`]: the time of
//! every request since the last asking, ns, a line each) and `/__count` (requests so far).

mod arrivals;
mod http1;
mod http2;
mod options;
mod plain;
mod scan;

use crate::counters::Counters;
use crate::listen::{Handler, Server, Stream};
use crate::precise::Timer;
use bytes::Bytes;
pub use options::{MAX_BODY_BYTES, Options};
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use tokio::sync::oneshot;

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

/// The fast server on tokio, for TLS and HTTP/2.
struct Fast {
    counters: Arc<Counters>,
    answer: Vec<u8>,
    body: Bytes,
}

impl Handler for Fast {
    async fn serve(self: Rc<Self>, stream: impl Stream, http2: bool) -> io::Result<()> {
        if http2 {
            http2::serve(&self.counters, &self.body, stream).await
        } else {
            http1::serve(&self.counters, &self.answer, stream).await
        }
    }
}
