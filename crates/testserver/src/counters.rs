//! What a server received, exactly.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

/// Distinct paths that are counted by name; requests for more fold into [`OTHER`].
const MAX_PATHS: usize = 10_000;

/// The key in [`Counters::by_path`] for paths beyond the first 10,000.
pub const OTHER: &str = "(other)";

/// Counts of one server, written by its thread and readable from any.
///
/// A request counts when its head (and body, where the server reads it) has arrived, whatever becomes of the answer.
#[derive(Debug, Default)]
pub struct Counters {
    connections: AtomicU64,
    open: AtomicU64,
    handshake_failures: AtomicU64,
    requests: AtomicU64,
    bytes: AtomicU64,
    /// Unix ms; 0 before the first request.
    first_ms: AtomicI64,
    last_ms: AtomicI64,
    by_path: Mutex<BTreeMap<String, u64>>,
}

impl Counters {
    /// TCP connections accepted.
    pub fn connections(&self) -> u64 {
        self.connections.load(Ordering::Relaxed)
    }

    /// TCP connections accepted and not yet closed.
    pub fn open_connections(&self) -> u64 {
        self.open.load(Ordering::Relaxed)
    }

    /// TLS handshakes that did not complete.
    pub fn handshake_failures(&self) -> u64 {
        self.handshake_failures.load(Ordering::Relaxed)
    }

    /// Requests received, all paths together.
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// Bytes of request bodies received.
    pub fn body_bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// When the first and the last request came, Unix ms; `None` before the first, and always for the fast server, which
    /// does not look at the clock.
    pub fn span_ms(&self) -> Option<(i64, i64)> {
        let first = self.first_ms.load(Ordering::Relaxed);
        (first > 0).then(|| (first, self.last_ms.load(Ordering::Relaxed)))
    }

    /// Requests received for exactly this path (without the query).
    pub fn path(&self, path: &str) -> u64 {
        self.paths().get(path).copied().unwrap_or(0)
    }

    /// Requests received by path (without the query). Empty for the fast server, which does not look at paths.
    pub fn by_path(&self) -> BTreeMap<String, u64> {
        self.paths().clone()
    }

    pub(crate) fn connected(&self) {
        self.connections.fetch_add(1, Ordering::Relaxed);
        self.open.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn disconnected(&self) {
        self.open.fetch_sub(1, Ordering::Relaxed);
    }

    #[cfg(feature = "tls")]
    pub(crate) fn handshake_failed(&self) {
        self.handshake_failures.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn received(&self, requests: u64) {
        self.requests.fetch_add(requests, Ordering::Relaxed);
    }

    pub(crate) fn received_at(&self, path: &str, body_bytes: usize) {
        self.received(1);
        self.at(now_ms());
        self.bytes.fetch_add(body_bytes as u64, Ordering::Relaxed);
        let mut paths = self.paths();
        if let Some(count) = paths.get_mut(path) {
            *count += 1;
        } else {
            let key = if paths.len() < MAX_PATHS { path } else { OTHER };
            *paths.entry(key.to_owned()).or_default() += 1;
        }
    }

    fn at(&self, now_ms: i64) {
        // Only the server's thread writes.
        if self.first_ms.load(Ordering::Relaxed) == 0 {
            self.first_ms.store(now_ms, Ordering::Relaxed);
        }
        self.last_ms.store(now_ms, Ordering::Relaxed);
    }

    fn paths(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, u64>> {
        // Counts stay whole even if a holder panicked between two of them.
        self.by_path.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_millis() as i64)
}

/// Counts a connection as open for as long as it lives.
pub(crate) struct OpenConnection(std::sync::Arc<Counters>);

impl OpenConnection {
    pub(crate) fn new(counters: &std::sync::Arc<Counters>) -> Self {
        counters.connected();
        Self(counters.clone())
    }
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.0.disconnected();
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_span_is_from_the_first_request_to_the_last() {
        let counters = Counters::default();
        assert_eq!(counters.span_ms(), None);
        for ms in [5, 7, 9] {
            counters.at(ms);
        }
        assert_eq!(counters.span_ms(), Some((5, 9)));
    }

    #[test]
    fn every_request_is_in_the_total_and_under_one_path() {
        let counters = Counters::default();
        for n in 0..MAX_PATHS + 5 {
            counters.received_at(&format!("/{n}"), 3);
        }
        counters.received_at("/0", 0);
        assert_eq!(counters.path("/0"), 2);
        assert_eq!(counters.path(OTHER), 5);
        assert_eq!(
            counters.by_path().values().sum::<u64>(),
            counters.requests()
        );
        assert_eq!(counters.body_bytes(), 3 * (MAX_PATHS as u64 + 5));
    }
}
