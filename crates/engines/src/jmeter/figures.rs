//! The figures of one sample of a JTL, of either format.

/// The figures of a sample.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Figures {
    /// Unix ms.
    pub(super) start_ms: i64,
    /// The service time with connecting, ms.
    pub(super) elapsed_ms: u64,
    /// Pauses within, which `elapsed_ms` leaves out, ms.
    pub(super) idle_ms: u64,
    /// To the first byte of the response, ms.
    pub(super) latency_ms: Option<u64>,
    /// To the end of the handshakes, ms.
    pub(super) connect_ms: Option<u64>,
    /// Received, headers included.
    pub(super) bytes: Option<u64>,
    /// Sent.
    pub(super) sent_bytes: Option<u64>,
    /// Threads of the group that ran when it ended.
    pub(super) group_threads: Option<u64>,
    /// Threads of all groups.
    pub(super) all_threads: Option<u64>,
}

impl Figures {
    /// When it ended, Unix ms.
    #[inline]
    pub(super) fn end_ms(&self) -> i64 {
        let took = self.elapsed_ms.saturating_add(self.idle_ms);
        self.start_ms
            .saturating_add(i64::try_from(took).unwrap_or(i64::MAX))
    }
}
