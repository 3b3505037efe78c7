//! What the fast server is asked for.

use bytes::Bytes;

/// What the fast server sends and keeps.
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
    /// The body.
    pub(super) fn body(&self) -> Bytes {
        Bytes::from(vec![b'f'; self.body_bytes])
    }

    /// The whole HTTP/1.1 answer, with the headers of an ordinary server.
    pub(super) fn answer(&self) -> Vec<u8> {
        let mut answer = format!(
            "HTTP/1.1 200 OK\r\nserver: floodgate-testserver\r\ncontent-type: text/plain; charset=utf-8\r\n\
             content-length: {}\r\n\r\n",
            self.body_bytes
        )
        .into_bytes();
        answer.extend_from_slice(&self.body());
        answer
    }
}
