//! SIGINT, SIGTERM, SIGHUP and SIGXCPU, counted.

use crate::error::{CliError, Result};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Its number on Linux and macOS (`man 7 signal`).
const XCPU: i32 = 24;

/// From its creation on, the signals no longer end the process.
pub(crate) struct Signals {
    interrupt: Signal,
    terminate: Signal,
    /// `None` where it is ignored, as under `nohup`.
    hang_up: Option<Signal>,
    /// The soft limit of CPU time (`ulimit -St`): the kernel says so each second until the hard one.
    cpu_time: Option<Signal>,
    times: u32,
}

impl Signals {
    /// Takes the signals over. SIGHUP stays ignored if it is.
    pub(crate) fn new() -> Result<Self> {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let hang_up = SignalKind::hangup();
        let ignored = ignores(&status, hang_up.as_raw_value());
        Ok(Self {
            hang_up: (!ignored).then(|| take(hang_up)).transpose()?,
            cpu_time: Some(take(SignalKind::from_raw(XCPU))?),
            ..Self::of_a_follower()?
        })
    }

    /// Takes over all but SIGHUP and SIGXCPU: they end who only follows a run elsewhere, and the run goes on.
    pub(crate) fn of_a_follower() -> Result<Self> {
        Ok(Self {
            interrupt: take(SignalKind::interrupt())?,
            terminate: take(SignalKind::terminate())?,
            hang_up: None,
            cpu_time: None,
            times: 0,
        })
    }

    /// The next one, and the how-many-th it is. A terminal that goes away says so more than once, by the kernel and by the shell, and a
    /// limit that is reached says so again and again: only the first SIGHUP or SIGXCPU counts, and only if nothing came before it. Safe to
    /// drop while it waits.
    pub(crate) async fn next(&mut self) -> (&'static str, u32) {
        let name = loop {
            tokio::select! {
                _ = self.interrupt.recv() => break "SIGINT",
                _ = self.terminate.recv() => break "SIGTERM",
                () = recv(self.hang_up.as_mut()) => if self.times == 0 {
                    break "SIGHUP";
                },
                () = recv(self.cpu_time.as_mut()) => if self.times == 0 {
                    break "SIGXCPU";
                },
            }
        };
        self.times += 1;
        (name, self.times)
    }
}

fn take(kind: SignalKind) -> Result<Signal> {
    signal(kind).map_err(|e| CliError::run("take over signals", e))
}

async fn recv(signal: Option<&mut Signal>) {
    match signal {
        Some(signal) => {
            signal.recv().await;
        }
        None => std::future::pending().await,
    }
}

/// Whether a process ignores a signal, by its `/proc/PID/status`: a mask in hexadecimal, the first signal in the lowest bit
/// (<https://man7.org/linux/man-pages/man5/proc_pid_status.5.html>).
fn ignores(status: &str, signal: i32) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::ignores;

    #[test]
    fn an_ignored_signal_is_seen() {
        let status = "Name:\tx\nSigBlk:\tffffffffffffffff\nSigIgn:\t0000000000001001\nSigCgt:\t0\n";
        assert!(ignores(status, 1) && ignores(status, 13));
        assert!(!ignores(status, 2) && !ignores("", 1));
    }
}
