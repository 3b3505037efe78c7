//! SIGINT and SIGTERM, counted.

use crate::error::{CliError, Result};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// From its creation on, the signals no longer end the process.
pub(crate) struct Signals {
    interrupt: Signal,
    terminate: Signal,
    times: u32,
}

impl Signals {
    /// Takes the signals over.
    pub(crate) fn new() -> Result<Self> {
        let take = |kind| signal(kind).map_err(|e| CliError::run("take over signals", e));
        Ok(Self {
            interrupt: take(SignalKind::interrupt())?,
            terminate: take(SignalKind::terminate())?,
            times: 0,
        })
    }

    /// The next one, and the how-many-th it is. Safe to drop while it waits.
    pub(crate) async fn next(&mut self) -> (&'static str, u32) {
        let name = tokio::select! {
            _ = self.interrupt.recv() => "SIGINT",
            _ = self.terminate.recv() => "SIGTERM",
        };
        self.times += 1;
        (name, self.times)
    }
}
