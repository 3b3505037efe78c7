//! One HTTP/1.1 exchange on a connection: the loop that this project exists for.
//!
//! A request costs one `write` and one `read`: the socket was registered once, edge-triggered, and is read only when the
//! reactor says so. The read goes to the worker's one buffer, the response is parsed where it lies, and as a rule nothing
//! of it is copied or allocated.

use super::deadline::{Deadline, Expired};
use super::failure;
use super::marks::Marks;
use super::reader::{Progress, Reader};
use super::response::Response;
use super::route::Forward;
use super::stream::{Idle, Stream};
use super::thread_state::ThreadState;
use super::wire::Wire;
use crate::exchange::ErrorCode;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::AsyncWrite;
use tokio::time::Sleep;

/// How long a body waits for `100 (Continue)`: servers need not send it (RFC 9110 §10.1.1). curl and Go wait as long.
const CONTINUE_WAIT: Duration = Duration::from_secs(1);

/// A connection; between requests it owns no buffer.
#[derive(Debug)]
pub(super) struct H1 {
    pub(super) stream: Stream,
    /// Whether it has carried a request before.
    pub(super) used: bool,
    /// The proxy that requests are handed to.
    pub(super) by: Option<Rc<Forward>>,
}

/// An exchange under way. Ready with whether the connection may be used again.
pub(super) struct RoundTrip<'a> {
    connection: &'a mut H1,
    /// What is sent.
    bytes: &'a [u8],
    thread: &'a ThreadState,
    deadline: &'a Deadline,
    response: &'a mut Response,
    marks: &'a mut Marks,
    reader: Reader,
    state: State,
    /// Bytes of the request that were written.
    written: usize,
    /// Bytes of the request that may be written by now.
    writable: usize,
    /// When the body is sent though nobody said `100 (Continue)`.
    patience: Option<Pin<Box<Sleep>>>,
    /// Bytes of this attempt's response.
    received: u64,
    /// Why writing failed; the response may explain it, so it is read nevertheless.
    broken: Option<ErrorCode>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Start,
    Writing,
    /// The head is written; the body waits for `100 (Continue)`.
    Waiting,
    Written,
}

impl<'a> RoundTrip<'a> {
    #[inline]
    pub(super) fn new(
        connection: &'a mut H1,
        wire: &'a Wire,
        thread: &'a ThreadState,
        deadline: &'a Deadline,
        response: &'a mut Response,
        marks: &'a mut Marks,
    ) -> Self {
        let reader = Reader::new(wire.is_head());
        let bytes = match &connection.by {
            None => wire.bytes(),
            Some(by) => wire.forwarded(by),
        };
        Self {
            connection,
            bytes,
            thread,
            deadline,
            response,
            marks,
            reader,
            state: State::Start,
            written: 0,
            writable: bytes.len() - wire.held_back(),
            patience: None,
            received: 0,
            broken: None,
        }
    }

    /// Writes what is left. Pending or broken: the response may come nevertheless.
    #[inline]
    fn write(&mut self, cx: &mut Context<'_>) {
        let bytes = &self.bytes[..self.writable];
        while self.written < bytes.len() {
            match self
                .connection
                .stream
                .poll_write_some(cx, &bytes[self.written..])
            {
                Poll::Ready(Ok(0)) => return self.broken = Some(ErrorCode::ConnectionClosed),
                Poll::Ready(Ok(count)) => {
                    self.written += count;
                    self.marks.sent += count as u64;
                }
                Poll::Ready(Err(error)) => return self.broken = Some(failure::of_io(&error)),
                Poll::Pending => return,
            }
        }
        if let Stream::Tls(stream) = &mut self.connection.stream {
            match Pin::new(stream).poll_flush(cx) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(error)) => return self.broken = Some(failure::of_io(&error)),
                Poll::Pending => return,
            }
        }
        if self.writable < self.bytes.len() {
            self.patience = Some(Box::pin(tokio::time::sleep(CONTINUE_WAIT)));
            self.state = State::Waiting;
            return;
        }
        self.state = State::Written;
        self.marks.wrote = self.thread.clock.now();
    }

    /// Sends the body if the peer has asked for it or has had its time to.
    #[cold]
    fn go_on(&mut self, cx: &mut Context<'_>) {
        let patient = |sleep: &mut Pin<Box<Sleep>>| sleep.as_mut().poll(cx).is_pending();
        if self.reader.may_go_on() || !self.patience.as_mut().is_some_and(patient) {
            self.writable = self.bytes.len();
            (self.patience, self.state) = (None, State::Writing);
            self.write(cx);
        }
    }

    /// One read; `None`: it waits.
    #[inline]
    fn read(&mut self, cx: &mut Context<'_>) -> Option<Result<Progress, ErrorCode>> {
        let mut buffer = self.thread.buffer.borrow_mut();
        let count = match self.connection.stream.poll_read_some(cx, &mut buffer) {
            Poll::Pending => return None,
            Poll::Ready(Ok(count)) => count,
            Poll::Ready(Err(error)) => {
                return Some(Err(self.broken.unwrap_or_else(|| failure::of_io(&error))));
            }
        };
        if count == 0 {
            let ended = self.reader.eof(self.response);
            self.marks.end = self.thread.clock.now();
            return Some(if self.received == 0 {
                Err(self.broken.unwrap_or(ErrorCode::ConnectionClosed))
            } else {
                ended
            });
        }
        let now = self.thread.clock.now();
        if self.received == 0 {
            self.marks.first = now;
        }
        self.marks.end = now;
        self.received += count as u64;
        self.marks.received += count as u64;
        let memo = &mut self.thread.memo.borrow_mut();
        Some(self.reader.feed(&buffer[..count], self.response, memo))
    }
}

impl Future for RoundTrip<'_> {
    type Output = Result<bool, ErrorCode>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        if this.state == State::Start {
            if this.connection.used {
                match this.connection.stream.idle(cx) {
                    Idle::Usable => {}
                    Idle::Closed => return Poll::Ready(Err(ErrorCode::ConnectionClosed)),
                    // nothing was sent yet: whatever came is not an answer, and the request goes elsewhere
                    Idle::Unsolicited => {
                        this.thread.account.borrow_mut().spoiled += 1;
                        return Poll::Ready(Err(ErrorCode::ConnectionClosed));
                    }
                }
            }
            this.state = State::Writing;
        }
        if this.state == State::Writing && this.broken.is_none() {
            this.write(cx);
        }
        loop {
            match this.read(cx) {
                Some(Ok(Progress::Done)) => {
                    this.connection.used = true;
                    if this.reader.has_excess() {
                        this.thread.account.borrow_mut().spoiled += 1;
                    }
                    return Poll::Ready(Ok(
                        this.reader.keep_alive() && this.state == State::Written
                    ));
                }
                Some(Ok(Progress::More)) if this.state == State::Waiting => this.go_on(cx),
                Some(Ok(Progress::More)) => {}
                Some(Err(code)) => return Poll::Ready(Err(code)),
                None => {
                    if this.state == State::Waiting {
                        this.go_on(cx);
                    }
                    return this
                        .deadline
                        .poll(cx)
                        .map(|Expired| Err(ErrorCode::Timeout));
                }
            }
        }
    }
}
