//! The least that a load generator has to do: one timer wakes it for each start, one answer wakes it for each request. It
//! parses nothing and records nothing. What it costs is the system's price for sending on time, which no tool that sleeps
//! in between can be below, unless it sends late and many at once.

use anyhow::{Context, Result, ensure};
use rustix::event::{Timespec, epoll};
use rustix::time::{
    ClockId, Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, clock_gettime,
    timerfd_create, timerfd_settime,
};
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::fd::OwnedFd;

const SECOND_NS: u64 = 1_000_000_000;
/// Names the timer among the connections.
const TIMER: u64 = u64::MAX;
/// How long the last answers are waited for.
const LAST_NS: u64 = 100_000_000;

/// Arguments of `cargo xtask bare-loop`.
#[derive(clap::Args)]
pub(crate) struct BareLoop {
    /// HOST:PORT
    authority: String,
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    rate: u64,
    #[arg(long)]
    seconds: u64,
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    connections: u64,
}

impl BareLoop {
    /// Sends at the rate and prints how much was sent.
    ///
    /// # Errors
    /// If a connection fails.
    pub(crate) fn run(&self) -> Result<()> {
        let reactor = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let timer = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::NONBLOCK)?;
        let edge = epoll::EventFlags::IN | epoll::EventFlags::ET;
        epoll::add(&reactor, &timer, epoll::EventData::new_u64(TIMER), edge)?;
        let mut connections = Vec::new();
        for n in 0..self.connections {
            let stream = TcpStream::connect(&self.authority).context("connect")?;
            stream.set_nodelay(true)?;
            stream.set_nonblocking(true)?;
            epoll::add(&reactor, &stream, epoll::EventData::new_u64(n), edge)?;
            connections.push(stream);
        }
        let begin = now();
        let sent = self.send(&reactor, &timer, &mut connections, begin)?;
        let seconds = (now() - begin - LAST_NS) as f64 / SECOND_NS as f64;
        println!("requests: {sent}\nrate: {}", sent as f64 / seconds);
        Ok(())
    }

    fn send(
        &self,
        reactor: &OwnedFd,
        timer: &OwnedFd,
        connections: &mut [TcpStream],
        begin: u64,
    ) -> Result<u64> {
        let request = format!("GET / HTTP/1.1\r\nhost: {}\r\n\r\n", self.authority);
        let total = self.rate * self.seconds;
        let at = |n: u64| begin + n * SECOND_NS / self.rate;
        let mut buffer = vec![0; 64 * 1024];
        let mut events = Vec::with_capacity(256);
        let mut sent = 0;
        wake_at(timer, begin)?;
        loop {
            epoll::wait(
                reactor,
                rustix::buffer::spare_capacity(&mut events),
                None::<&Timespec>,
            )?;
            let mut expired = false;
            for event in events.drain(..) {
                match event.data.u64() {
                    TIMER => expired = true,
                    n => receive(&mut connections[n as usize], &mut buffer)?,
                }
            }
            if !expired {
                continue;
            }
            if sent == total {
                return Ok(sent);
            }
            while sent < total && at(sent) <= now() {
                let turn = (sent % self.connections) as usize;
                connections[turn].write_all(request.as_bytes())?;
                sent += 1;
            }
            wake_at(timer, at(sent) + if sent == total { LAST_NS } else { 0 })?;
        }
    }
}

/// One read: an answer is smaller than the buffer.
fn receive(stream: &mut TcpStream, buffer: &mut [u8]) -> Result<()> {
    match stream.read(buffer) {
        Ok(length) => ensure!(length > 0, "the server has closed a connection"),
        Err(error) if error.kind() == ErrorKind::WouldBlock => {}
        Err(error) => return Err(error).context("read"),
    }
    Ok(())
}

/// `CLOCK_MONOTONIC`, ns.
fn now() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    now.tv_sec.cast_unsigned() * SECOND_NS + now.tv_nsec.cast_unsigned()
}

fn wake_at(timer: &OwnedFd, at: u64) -> Result<()> {
    let never = Timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    let spec = Itimerspec {
        it_interval: never,
        it_value: Timespec {
            tv_sec: (at / SECOND_NS).cast_signed(),
            tv_nsec: (at % SECOND_NS).cast_signed(),
        },
    };
    timerfd_settime(timer, TimerfdTimerFlags::ABSTIME, &spec)?;
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    #[test]
    fn every_start_is_sent() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let load = BareLoop {
            authority: listener.local_addr().unwrap().to_string(),
            rate: 50,
            seconds: 1,
            connections: 1,
        };
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut all = String::new();
            stream.read_to_string(&mut all).unwrap();
            all.matches("GET / HTTP/1.1").count()
        });
        load.run().unwrap();
        assert_eq!(server.join().unwrap(), 50);
    }
}
