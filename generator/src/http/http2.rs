//! One HTTP/2 exchange; frames, streams and flow control are the `h2` crate's.
//!
//! A request is handed over to the connection's own task, which writes it with whatever else is due: `sending` is the
//! time until it is handed over, and writing itself is part of `waiting`.

use super::deadline::Deadline;
use super::exchange::Version;
use super::failure;
use super::head::{MAX_HEAD_BYTES, MAX_HEADERS};
use super::marks::Marks;
use super::response::Response;
use super::stream::{Counted, Stream, Traffic};
use super::wire::{H2Request, Wire};
use crate::clock::Clock;
use crate::exchange::ErrorCode;
use bytes::Bytes;
use h2::client::SendRequest;
use std::cell::Cell;
use std::future::{Future as _, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use tokio::sync::Notify;

/// Receive windows: a load generator wants the target's speed, not flow control's. The connection's is that of many
/// streams; bodies that are not kept are released as they come.
const STREAM_WINDOW: u32 = 4 << 20;
const CONNECTION_WINDOW: u32 = 64 << 20;
/// What h2 takes of a head, in bytes of RFC 9113 §6.5.2. It calls larger ones a protocol error, as it does malformed ones,
/// so it takes more than [`MAX_HEAD_BYTES`], which is looked at here.
const MAX_HEADER_LIST_BYTES: u32 = 1 << 20;
/// Status line and empty line of the head as HTTP/1.1 has it.
const HEAD_FRAME_BYTES: usize = "HTTP/1.1 200 \r\n\r\n".len();
/// The limit of streams until the peer's SETTINGS come; no peer can set that one.
const UNKNOWN_LIMIT: usize = usize::MAX - 1;

/// A connection, or one VU's part in it.
#[derive(Debug)]
pub(super) struct H2 {
    send: SendRequest<Bytes>,
    shared: Rc<Shared>,
    /// Whether it has carried a request before.
    pub(super) used: bool,
}

#[derive(Debug, Default)]
struct Shared {
    traffic: Rc<Traffic>,
    closed: Cell<bool>,
    streams: Cell<usize>,
    /// Whether it is known how many streams the peer allows.
    settled: Cell<bool>,
    /// It has settled, or closed.
    changed: Notify,
}

impl Shared {
    fn settle(&self) {
        if !self.settled.replace(true) {
            self.changed.notify_waiters();
        }
    }

    fn close(&self) {
        self.closed.set(true);
        self.changed.notify_waiters();
    }
}

/// Waits until it is known how many streams a connection carries, or that it carries none.
#[derive(Debug)]
pub(super) struct Unsettled(Rc<Shared>);

impl Unsettled {
    pub(super) async fn settled(self) {
        // nothing happens between the look at it and the wait: both are on one thread
        if !self.0.settled.get() && !self.0.closed.get() {
            self.0.changed.notified().await;
        }
    }
}

/// A failed attempt.
#[derive(Debug)]
pub(super) struct Failed {
    pub(super) code: ErrorCode,
    /// The peer has certainly not handled the request.
    pub(super) unprocessed: bool,
    /// The stream failed, and the connection is none the worse for it.
    pub(super) connection_lives: bool,
}

impl From<ErrorCode> for Failed {
    fn from(code: ErrorCode) -> Self {
        Self {
            code,
            unprocessed: false,
            // a connection on which something timed out may be dead
            connection_lives: code != ErrorCode::Timeout,
        }
    }
}

impl From<h2::Error> for Failed {
    fn from(error: h2::Error) -> Self {
        Self {
            code: failure::of_h2(&error),
            unprocessed: failure::is_unprocessed(&error),
            connection_lives: error.is_reset(),
        }
    }
}

/// Counts a stream for as long as it lives.
struct InFlight<'a>(&'a Shared);

impl<'a> InFlight<'a> {
    fn new(shared: &'a Shared) -> Self {
        shared.streams.set(shared.streams.get() + 1);
        Self(shared)
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.streams.set(self.0.streams.get() - 1);
        // a peer that answers without SETTINGS is waited for no longer
        self.0.settle();
    }
}

impl H2 {
    /// Speaks HTTP/2 on a stream; the connection's task is spawned on the current `LocalSet`.
    pub(super) async fn start(stream: Stream, deadline: &Deadline) -> Result<Self, ErrorCode> {
        let shared = Rc::new(Shared::default());
        let io = Counted {
            stream,
            traffic: Rc::clone(&shared.traffic),
        };
        let mut builder = h2::client::Builder::new();
        builder
            .enable_push(false)
            .initial_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .initial_max_send_streams(UNKNOWN_LIMIT)
            .max_header_list_size(MAX_HEADER_LIST_BYTES);
        let handshake = deadline
            .limit(pin!(builder.handshake::<_, Bytes>(io)))
            .await;
        let (send, mut connection) = handshake
            .map_err(|_| ErrorCode::Timeout)?
            .map_err(|error| failure::of_h2(&error))?;
        let watched = Rc::clone(&shared);
        tokio::task::spawn_local(async move {
            // its requests are told of its error themselves
            let _ = poll_fn(|cx| {
                let done = Pin::new(&mut connection).poll(cx);
                if !watched.settled.get()
                    && connection.max_concurrent_send_streams() != UNKNOWN_LIMIT
                {
                    watched.settle();
                }
                done
            })
            .await;
            watched.close();
        });
        Ok(Self {
            send,
            shared,
            used: false,
        })
    }

    /// Another user's handle.
    pub(super) fn share(&self) -> Self {
        Self {
            send: self.send.clone(),
            shared: Rc::clone(&self.shared),
            used: true,
        }
    }

    /// Whether both are handles of one connection.
    pub(super) fn is(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.shared, &other.shared)
    }

    pub(super) fn is_closed(&self) -> bool {
        self.shared.closed.get()
    }

    /// Whether the peer allows another stream. Before that is known, one may go, so that a new connection costs no
    /// round trip more; and one may always wait where the peer allows none for now.
    pub(super) fn has_room(&self) -> bool {
        let limit = if self.shared.settled.get() {
            self.send.current_max_send_streams().max(1)
        } else {
            1
        };
        self.shared.streams.get() < limit
    }

    /// What to wait for before anybody knows whether there is room.
    pub(super) fn unsettled(&self) -> Option<Unsettled> {
        (!self.shared.settled.get()).then(|| Unsettled(Rc::clone(&self.shared)))
    }

    /// One exchange. On a shared connection, bytes are charged to the exchange that ends next: sums are exact.
    pub(super) async fn exchange(
        &mut self,
        request: &H2Request,
        clock: Clock,
        deadline: &Deadline,
        response: &mut Response,
        marks: &mut Marks,
    ) -> Result<(), Failed> {
        marks.version = Version::Http2;
        let shared = Rc::clone(&self.shared);
        let _in_flight = InFlight::new(&shared);
        self.used = true;
        let done = deadline
            .limit(pin!(self.run(request, clock, response, marks)))
            .await;
        marks.sent += shared.traffic.sent.take();
        marks.received += shared.traffic.received.take();
        done.map_err(|_| Failed::from(ErrorCode::Timeout))?
    }

    async fn run(
        &mut self,
        parts: &H2Request,
        clock: Clock,
        response: &mut Response,
        marks: &mut Marks,
    ) -> Result<(), Failed> {
        let unsent = |error: h2::Error| Failed {
            unprocessed: true,
            ..Failed::from(error)
        };
        poll_fn(|cx| self.send.poll_ready(cx))
            .await
            .map_err(unsent)?;
        let mut request = http::Request::new(());
        *request.method_mut() = parts.method.clone();
        *request.uri_mut() = parts.uri.clone();
        *request.version_mut() = http::Version::HTTP_2;
        *request.headers_mut() = parts.headers.clone();
        let (head, mut stream) = self
            .send
            .send_request(request, parts.body.is_empty())
            .map_err(|error| Failed {
                // else h2 finds fault with the request itself
                unprocessed: error.is_io() || error.reason().is_some(),
                ..Failed::from(error)
            })?;
        if !parts.body.is_empty() {
            // h2 keeps the handle, not a copy, and sends as the peer's windows allow
            stream.send_data(parts.body.clone(), true)?;
        }
        marks.wrote = clock.now();
        let (head, mut body) = head.await?.into_parts();
        marks.first = clock.now();
        marks.end = marks.first;
        check_size(&head.headers)?;
        let status = head.status.as_u16();
        response.status = status;
        response.head(|evidence| {
            evidence.extend_from_slice(format!("HTTP/2 {status}\r\n").as_bytes());
            for (name, value) in &head.headers {
                for piece in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
                    evidence.extend_from_slice(piece);
                }
            }
        });
        for (name, value) in &head.headers {
            response.header(status, name.as_str(), value.as_bytes());
        }
        while !body.is_end_stream() {
            let mut waited = false;
            let data = poll_fn(|cx| {
                let polled = body.poll_data(cx);
                waited |= polled.is_pending();
                polled
            })
            .await;
            // what was there together with the head was received together with it
            if waited {
                marks.end = clock.now();
            }
            let Some(data) = data else { break };
            let data = data?;
            body.flow_control().release_capacity(data.len())?;
            response.data(&data)?;
        }
        response.finish()?;
        Ok(())
    }
}

/// Bounds a head as HTTP/1.1's is bounded, by the bytes that it would have there.
fn check_size(headers: &http::HeaderMap) -> Result<(), ErrorCode> {
    let bytes: usize = headers
        .iter()
        .map(|(name, value)| name.as_str().len() + ": \r\n".len() + value.len())
        .sum();
    if headers.len() > MAX_HEADERS || HEAD_FRAME_BYTES + bytes > MAX_HEAD_BYTES {
        return Err(ErrorCode::HeadersTooLarge);
    }
    Ok(())
}

/// The HTTP/2 form of a request.
pub(super) fn request(wire: &Wire, https: bool) -> Result<&H2Request, ErrorCode> {
    wire.h2(https).ok_or(ErrorCode::BadUrl)
}
