//! Plain HTTP/1.1: one thread, one edge-triggered epoll registration a connection, two system calls a request.

use super::arrivals::Arrivals;
use super::options::Options;
use super::scan::{self, Scan};
use crate::counters::Counters;
use crate::listen::Server;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::event::{EventfdFlags, eventfd};
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, recv, send};
use std::io;
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;

/// What epoll says of the listener and of the request to stop; connections have their slot's number.
const LISTENER: u64 = u64::MAX;
const STOP: u64 = u64::MAX - 1;

/// Events taken from the kernel at once.
const EVENTS: usize = 256;

/// Copies of the answer that one `send` can carry, for pipelined requests.
const COPIES: usize = 32;

/// A client that reads nothing is cut off when this much waits for it (the largest answer, and some).
const MAX_WAITING_BYTES: usize = 256 << 20;

struct Connection {
    tcp: TcpStream,
    /// The beginning of a request that has not arrived whole.
    partial: Vec<u8>,
    /// Answers that the socket has not taken yet.
    waiting: Vec<u8>,
}

/// What the loop shares over all connections.
struct Loop<'a> {
    epoll: OwnedFd,
    listener: &'a TcpListener,
    counters: &'a Counters,
    arrivals: Arrivals,
    /// [`COPIES`] times the answer.
    answers: Vec<u8>,
    answer_bytes: usize,
    connections: Vec<Option<Connection>>,
    free: Vec<usize>,
    buffer: Vec<u8>,
}

/// Serves until `stopped` resolves or is dropped.
pub(super) fn run(
    server: &Server,
    stopped: oneshot::Receiver<()>,
    options: &Options,
) -> io::Result<()> {
    let answer = options.answer();
    let mut state = Loop {
        epoll: epoll::create(CreateFlags::CLOEXEC)?,
        listener: &server.listener,
        counters: &server.counters,
        arrivals: Arrivals::new(options.arrivals),
        answers: answer.repeat(COPIES),
        answer_bytes: answer.len(),
        connections: Vec::new(),
        free: Vec::new(),
        buffer: vec![0; 64 << 10],
    };
    let stop = stop_event(stopped)?;
    epoll::add(
        &state.epoll,
        &server.listener,
        EventData::new_u64(LISTENER),
        EventFlags::IN,
    )?;
    epoll::add(
        &state.epoll,
        &*stop,
        EventData::new_u64(STOP),
        EventFlags::IN,
    )?;
    let mut events: Vec<Event> = Vec::with_capacity(EVENTS);
    loop {
        events.clear();
        match epoll::wait(
            &state.epoll,
            rustix::buffer::spare_capacity(&mut events),
            None,
        ) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        for event in &events {
            match event.data.u64() {
                STOP => return Ok(()),
                LISTENER => state.accept()?,
                slot => state.serve(usize::try_from(slot).unwrap_or(usize::MAX), event.flags),
            }
        }
    }
}

/// A descriptor that becomes readable when `stopped` resolves: epoll knows nothing of channels.
fn stop_event(stopped: oneshot::Receiver<()>) -> io::Result<Arc<OwnedFd>> {
    let event = Arc::new(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?);
    let signal = event.clone();
    std::thread::Builder::new()
        .name("floodgate-testserver-stop".into())
        .spawn(move || {
            let _ = stopped.blocking_recv();
            // Writing 1 to a fresh eventfd cannot fail.
            let _ = rustix::io::write(&*signal, &1u64.to_ne_bytes());
        })?;
    Ok(event)
}

impl Loop<'_> {
    fn accept(&mut self) -> io::Result<()> {
        loop {
            let tcp = match self.listener.accept() {
                Ok((tcp, _)) => tcp,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => continue,
                Err(error) if crate::listen::is_descriptor_shortage(&error) => {
                    // The listener stays readable: without a pause this would spin.
                    std::thread::sleep(Duration::from_millis(1));
                    return Ok(());
                }
                Err(error) => return Err(error),
            };
            tcp.set_nonblocking(true)?;
            tcp.set_nodelay(true)?;
            let slot = self.free.pop().unwrap_or_else(|| {
                self.connections.push(None);
                self.connections.len() - 1
            });
            let interest = EventFlags::IN | EventFlags::OUT | EventFlags::RDHUP | EventFlags::ET;
            epoll::add(&self.epoll, &tcp, EventData::new_u64(slot as u64), interest)?;
            self.connections[slot] = Some(Connection {
                tcp,
                partial: Vec::new(),
                waiting: Vec::new(),
            });
            self.counters.connected();
        }
    }

    /// Deals with an event of a connection; one that is stale (its slot was freed in this round) finds nothing to do.
    fn serve(&mut self, slot: usize, flags: EventFlags) {
        let Some(mut connection) = self.connections.get_mut(slot).and_then(Option::take) else {
            return;
        };
        let flushed = connection.waiting.is_empty() || connection.flush().is_ok();
        if flushed && self.read(&mut connection, flags).is_ok() {
            self.connections[slot] = Some(connection);
        } else {
            self.free.push(slot);
            self.counters.disconnected();
        }
    }

    /// Reads what has come and answers it. An error closes the connection.
    fn read(&mut self, connection: &mut Connection, flags: EventFlags) -> io::Result<()> {
        // Edge-triggered: the socket is empty only when a read has not filled the buffer. An end of the stream (RDHUP)
        // raises no second edge, so then the stream is read to its end.
        let to_the_end = flags.intersects(EventFlags::RDHUP | EventFlags::HUP | EventFlags::ERR);
        loop {
            let n = match recv(&connection.tcp, &mut self.buffer[..], RecvFlags::empty()) {
                Ok((0, _)) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok((n, _)) => n,
                Err(Errno::AGAIN) => return Ok(()),
                Err(Errno::INTR) => continue,
                Err(error) => return Err(error.into()),
            };
            if connection.partial.is_empty() {
                let received = std::mem::take(&mut self.buffer);
                let result = self.answer(connection, &received[..n]).map(|end| {
                    connection.partial.extend_from_slice(&received[end..n]);
                });
                self.buffer = received;
                result?;
            } else {
                let mut received = std::mem::take(&mut connection.partial);
                received.extend_from_slice(&self.buffer[..n]);
                let end = self.answer(connection, &received)?;
                received.drain(..end);
                connection.partial = received;
            }
            if n < self.buffer.len() && !to_the_end {
                return Ok(());
            }
        }
    }

    /// Answers the whole requests in `received`; says where they end.
    fn answer(&mut self, connection: &mut Connection, received: &[u8]) -> io::Result<usize> {
        // The benchmark's own questions come one at a time.
        if received.starts_with(b"GET /__") && received.ends_with(b"\r\n\r\n") {
            connection.send(&self.statistics(received))?;
            return Ok(received.len());
        }
        match scan::gets(received) {
            Scan::Gets { count, end } => {
                self.arrivals.note(count);
                self.counters.received(count as u64);
                let mut left = count;
                while left > 0 {
                    let now = left.min(COPIES);
                    connection.send(&self.answers[..now * self.answer_bytes])?;
                    left -= now;
                }
                Ok(end)
            }
            Scan::Refused => {
                connection.send(scan::NOT_ALLOWED)?;
                Err(io::ErrorKind::InvalidData.into())
            }
        }
    }

    fn statistics(&mut self, request: &[u8]) -> Vec<u8> {
        let body = if request.starts_with(b"GET /__arrivals ") {
            self.arrivals.take()
        } else if request.starts_with(b"GET /__count ") {
            self.counters.requests().to_string()
        } else {
            return b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n".to_vec();
        };
        format!(
            "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )
        .into_bytes()
    }
}

impl Connection {
    /// Sends, or keeps what the socket does not take.
    fn send(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        if self.waiting.is_empty() {
            let sent = self.send_now(bytes)?;
            bytes = &bytes[sent..];
        }
        if self.waiting.len() + bytes.len() > MAX_WAITING_BYTES {
            return Err(io::ErrorKind::OutOfMemory.into());
        }
        self.waiting.extend_from_slice(bytes);
        Ok(())
    }

    /// Sends what waits; called when the socket has become writable.
    fn flush(&mut self) -> io::Result<()> {
        let sent = self.send_now(&self.waiting)?;
        self.waiting.drain(..sent);
        Ok(())
    }

    /// How much of `bytes` the socket takes now.
    fn send_now(&self, bytes: &[u8]) -> io::Result<usize> {
        let mut sent = 0;
        while sent < bytes.len() {
            match send(&self.tcp, &bytes[sent..], SendFlags::NOSIGNAL) {
                Ok(n) => sent += n,
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => break,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(sent)
    }
}
