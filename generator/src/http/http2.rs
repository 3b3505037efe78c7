//! One HTTP/2 exchange; frames, streams and flow control are the `h2` crate's.
//!
//! A request is handed over to the connection's own task, which writes it with whatever else is due: `sending` is the
//! time until it is handed over, and writing itself is part of `waiting`.

use super::deadline::Deadline;
use super::exchange::{ErrorCode, Protocol};
use super::failure;
use super::head::MAX_HEAD_BYTES;
use super::marks::Marks;
use super::response::Response;
use super::stream::{Counted, Stream, Traffic};
use super::wire::{H2Request, Wire};
use crate::clock::Clock;
use bytes::Bytes;
use h2::client::SendRequest;
use std::cell::Cell;
use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;

/// Receive windows: a load generator wants the target's speed, not flow control's. The connection's is that of many
/// streams; bodies that are not kept are released as they come.
const STREAM_WINDOW: u32 = 4 << 20;
const CONNECTION_WINDOW: u32 = 64 << 20;

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
}

/// A failed attempt.
#[derive(Debug)]
pub(super) struct Failed {
    pub(super) code: ErrorCode,
    /// The peer has certainly not handled the request.
    pub(super) unprocessed: bool,
}

impl From<ErrorCode> for Failed {
    fn from(code: ErrorCode) -> Self {
        Self {
            code,
            unprocessed: false,
        }
    }
}

impl From<h2::Error> for Failed {
    fn from(error: h2::Error) -> Self {
        Self {
            code: failure::of_h2(&error),
            unprocessed: failure::is_unprocessed(&error),
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
            .max_header_list_size(MAX_HEAD_BYTES as u32);
        let handshake = deadline
            .limit(pin!(builder.handshake::<_, Bytes>(io)))
            .await;
        let (send, connection) = handshake
            .map_err(|_| ErrorCode::Timeout)?
            .map_err(|error| failure::of_h2(&error))?;
        let closing = Rc::clone(&shared);
        tokio::task::spawn_local(async move {
            // its requests are told of its error themselves
            let _ = connection.await;
            closing.closed.set(true);
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

    /// Whether the peer allows another stream.
    pub(super) fn has_room(&self) -> bool {
        self.shared.streams.get() < self.send.current_max_send_streams()
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
        marks.protocol = Protocol::Http2;
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
            code: failure::of_h2(&error),
            unprocessed: true,
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
            .map_err(unsent)?;
        if !parts.body.is_empty() {
            // h2 keeps the handle, not a copy, and sends as the peer's windows allow
            stream.send_data(parts.body.clone(), true)?;
        }
        marks.wrote = clock.now();
        let (head, mut body) = head.await?.into_parts();
        marks.first = clock.now();
        marks.end = marks.first;
        let status = head.status.as_u16();
        response.status = status;
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

/// The HTTP/2 form of a request.
pub(super) fn request(wire: &Wire, https: bool) -> Result<&H2Request, ErrorCode> {
    wire.h2(https).ok_or(ErrorCode::BadUrl)
}
