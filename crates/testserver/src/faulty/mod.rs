//! A server that misbehaves by script, on the level of TCP, HTTP/1.1 or time.
//!
//! Connections and requests are numbered in the order of their arrival. The n-th connection meets the n-th entry of
//! [`Script::connections`], the n-th request (over all connections) the n-th of [`Script::answers`]; the last entry
//! of each repeats for ever. Faults of TLS are a matter of certificates: see [`crate::tls::Mode`].

mod answer;
mod request;

pub use answer::Answer;

use crate::counters::Counters;
use crate::listen::{Handler, Stream};
use crate::precise::Timer;
use answer::Then;
use bytes::BytesMut;
use std::cell::Cell;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What a server does, connection by connection and request by request.
#[derive(Clone, Debug, Default)]
pub struct Script {
    /// What connections meet; empty: [`OnConnect::Serve`].
    pub connections: Vec<OnConnect>,
    /// What requests meet; empty: [`Answer::Ok`].
    pub answers: Vec<Answer>,
    /// A time in which nothing is answered.
    pub stall: Option<Stall>,
}

/// What a connection meets once the kernel has accepted it, before TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OnConnect {
    /// Its requests are answered.
    Serve,
    /// It is reset (RST) at once.
    Reset,
    /// It is closed (FIN) at once.
    Close,
    /// It is kept open until the client closes it; nothing is ever sent.
    Silent,
    /// These bytes are sent as soon as the client has sent something, then it is closed: with `https` in the client's
    /// URL, garbage in place of a TLS handshake.
    Send(Vec<u8>),
}

/// All answers that fall due from `after` to `after + length`, counted from the first request, are withheld and then
/// sent at once. Requests are received and counted all the while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stall {
    /// From the first request to the beginning of the stall.
    pub after: Duration,
    /// How long it lasts.
    pub length: Duration,
}

impl Script {
    /// Every request meets the same.
    pub fn always(answer: Answer) -> Self {
        Self {
            answers: vec![answer],
            ..Self::default()
        }
    }

    /// Every connection meets the same.
    pub fn on_connect(fault: OnConnect) -> Self {
        Self {
            connections: vec![fault],
            ..Self::default()
        }
    }

    /// Good answers, but for one stall.
    pub fn stall(after: Duration, length: Duration) -> Self {
        Self {
            stall: Some(Stall { after, length }),
            ..Self::default()
        }
    }
}

impl Stall {
    /// When an answer that is ready at `now` may be sent; `first` is when the first request came.
    fn release(self, first: Instant, now: Instant) -> Instant {
        let begins = first + self.after;
        let ends = begins + self.length;
        if (begins..ends).contains(&now) {
            ends
        } else {
            now
        }
    }
}

/// The script's state: one for all connections of a target.
pub(crate) struct Faulty {
    script: Script,
    counters: Arc<Counters>,
    timer: Timer,
    connections: Cell<usize>,
    requests: Cell<usize>,
    first_request: Cell<Option<Instant>>,
}

impl Faulty {
    pub(crate) fn factory(script: Script) -> impl FnOnce(Arc<Counters>, Timer) -> Self {
        move |counters, timer| Self {
            script,
            counters,
            timer,
            connections: Cell::new(0),
            requests: Cell::new(0),
            first_request: Cell::new(None),
        }
    }

    fn next_answer(&self) -> Answer {
        nth(&self.script.answers, &self.requests).unwrap_or(Answer::Ok)
    }

    /// Waits out a stall.
    async fn stall(&self) -> io::Result<()> {
        let now = Instant::now();
        let first = self.first_request.get().unwrap_or(now);
        self.first_request.set(Some(first));
        match self.script.stall {
            Some(stall) => self.timer.sleep_until(stall.release(first, now)).await,
            None => Ok(()),
        }
    }
}

/// The entry for the next in number; the last one repeats.
fn nth<T: Clone>(entries: &[T], seen: &Cell<usize>) -> Option<T> {
    let n = seen.replace(seen.get() + 1);
    entries.get(n).or(entries.last()).cloned()
}

impl Handler for Faulty {
    async fn accept(self: Rc<Self>, mut tcp: TcpStream) -> Option<TcpStream> {
        match nth(&self.script.connections, &self.connections).unwrap_or(OnConnect::Serve) {
            OnConnect::Serve => return Some(tcp),
            // Errors mean that the client was quicker to go.
            OnConnect::Reset => drop(tcp.set_zero_linger()),
            OnConnect::Close => drop(tcp.shutdown().await),
            OnConnect::Silent => answer::until_closed(&mut tcp).await,
            OnConnect::Send(bytes) => {
                let mut first = [0; 4096];
                if tcp.read(&mut first).await.is_ok_and(|n| n > 0) {
                    drop(tcp.write_all(&bytes).await);
                    drop(tcp.shutdown().await);
                }
            }
        }
        None
    }

    async fn serve(self: Rc<Self>, mut stream: impl Stream, _http2: bool) -> io::Result<()> {
        let mut buffer = BytesMut::with_capacity(4096);
        while let Some(request) = request::read(&mut stream, &mut buffer).await? {
            self.counters.received_at(&request.path, request.body_bytes);
            self.stall().await?;
            match self.next_answer().send(&mut stream, &self.timer).await? {
                Then::Keep => {}
                Then::Close => break,
                // Not shut down first: that would send the FIN of an orderly end.
                Then::Reset => return stream.tcp().set_zero_linger(),
                Then::Wait => answer::until_closed(&mut stream).await,
            }
        }
        stream.shutdown().await
    }
}

/// A port that refuses connections for as long as this lives: it is bound, so that nobody else can take it, but does
/// not listen.
#[derive(Debug)]
pub struct RefusingPort {
    _socket: OwnedFd,
    addr: SocketAddr,
}

impl RefusingPort {
    /// Takes a free port on 127.0.0.1.
    ///
    /// # Errors
    /// If the system has no port or descriptor left.
    pub fn new() -> io::Result<Self> {
        use rustix::net::{self, AddressFamily, SocketFlags, SocketType};
        let socket = net::socket_with(
            AddressFamily::INET,
            SocketType::STREAM,
            SocketFlags::CLOEXEC,
            None,
        )?;
        net::bind(&socket, &SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
        let addr = SocketAddr::try_from(net::getsockname(&socket)?)?;
        Ok(Self {
            _socket: socket,
            addr,
        })
    }

    /// Where connections are refused.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_stall_withholds_what_falls_into_it_and_nothing_else() {
        let first = Instant::now();
        let at = |ms| first + Duration::from_millis(ms);
        let stall = Stall {
            after: Duration::from_millis(100),
            length: Duration::from_millis(50),
        };
        for (ready, sent) in [
            (0, 0),
            (99, 99),
            (100, 150),
            (149, 150),
            (150, 150),
            (151, 151),
        ] {
            assert_eq!(
                stall.release(first, at(ready)),
                at(sent),
                "ready after {ready} ms"
            );
        }
    }

    #[test]
    fn the_last_entry_repeats() {
        let seen = Cell::new(0);
        let drawn: Vec<_> = (0..4).map(|_| nth(&['a', 'b'], &seen)).collect();
        assert_eq!(drawn, [Some('a'), Some('b'), Some('b'), Some('b')]);
        assert_eq!(nth::<char>(&[], &seen), None);
    }
}
