//! What is known about one HTTP exchange: one request and its response, one hop of a redirect chain.

use crate::clock::Nanos;
use crate::exchange::{ErrorCode, Exchange, Protocol, Trend, Trends};
use floodgate_records::metric::{Builtin, Tags};

/// The set-up of a connection, which is none where one is used again.
const REUSED: usize = 0;
/// Receiving, which takes no time where a response comes in one read.
const AT_ONCE: usize = 1;

const fn trend(metric: Builtin, zeros: Option<usize>) -> Trend {
    Trend {
        metric: metric.name(),
        zeros,
    }
}

/// HTTP of any version.
pub static HTTP: Protocol = Protocol::new(
    "http",
    Builtin::HttpReqs.name(),
    Builtin::HttpReqFailed.name(),
    &[
        trend(Builtin::HttpReqResponseTime, None),
        trend(Builtin::HttpReqDuration, None),
        trend(Builtin::HttpReqSending, None),
        trend(Builtin::HttpReqWaiting, None),
        trend(Builtin::HttpReqReceiving, Some(AT_ONCE)),
        trend(Builtin::HttpReqBlocked, Some(REUSED)),
        trend(Builtin::HttpReqLookingUp, Some(REUSED)),
        trend(Builtin::HttpReqConnecting, Some(REUSED)),
        trend(Builtin::HttpReqTlsHandshaking, Some(REUSED)),
    ],
);
/// Places among the trends: the first four are recorded of every request.
const RECEIVING: usize = 4;
const SET_UP: usize = 5;

/// When the phases of an exchange ended, in nanoseconds each. Phases that did not happen are zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timings {
    /// When the exchange was begun, on the worker's clock: before a connection was looked for.
    pub begin: Nanos,
    /// When its last byte was read, or it failed.
    pub end: Nanos,
    /// Waiting for a connection: a free one of the pool, or name resolution, connect and TLS of a new one.
    pub blocked: Nanos,
    /// Name resolution, part of `blocked`.
    pub looking_up: Nanos,
    /// TCP connect, part of `blocked`.
    pub connecting: Nanos,
    /// TLS handshake, part of `blocked`.
    pub tls: Nanos,
    /// Writing the request.
    pub sending: Nanos,
    /// From the last byte written to the first byte read.
    pub waiting: Nanos,
    /// From the first byte read to the last.
    pub receiving: Nanos,
}

impl Timings {
    /// Service time: sending + waiting + receiving.
    pub fn duration(&self) -> Nanos {
        self.sending + self.waiting + self.receiving
    }
}

/// An exchange of HTTP.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HttpExchange {
    /// Its phases.
    pub timings: Timings,
    /// The final status code; 0 without a response.
    pub status: u16,
    /// What went wrong, if anything.
    pub error: Option<ErrorCode>,
    /// Bytes written to the socket for it (TLS: plaintext).
    pub sent: u64,
    /// Bytes read from the socket for it (TLS: plaintext).
    pub received: u64,
    /// Which version carried it.
    pub version: Version,
}

/// The version of HTTP that an exchange used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Version {
    /// HTTP/1.0 or HTTP/1.1.
    #[default]
    Http1,
    /// HTTP/2.
    Http2,
}

impl Exchange for HttpExchange {
    const PROTOCOL: &'static Protocol = &HTTP;

    #[inline]
    fn end(&self) -> Nanos {
        self.timings.end
    }

    #[inline]
    fn error(&self) -> Option<ErrorCode> {
        self.error
    }

    #[inline]
    fn sent(&self) -> u64 {
        self.sent
    }

    #[inline]
    fn received(&self) -> u64 {
        self.received
    }

    #[inline]
    fn outcome(&self) -> u32 {
        u32::from(self.status) | self.error.map_or(0, |error| error as u32 + 1) << 16
    }

    fn tags(&self, tags: Tags) -> Tags {
        tags.with("status", self.status.to_string())
            .with("error_code", self.error.map_or("", ErrorCode::as_str))
    }

    #[inline]
    fn record(&self, intended: Nanos, trends: &mut Trends) {
        let timings = &self.timings;
        trends.record_all(
            0,
            [
                timings.end.saturating_sub(intended),
                timings.duration(),
                timings.sending,
                timings.waiting,
            ],
        );
        if timings.receiving == 0 {
            trends.zero(AT_ONCE);
        } else {
            trends.record(RECEIVING, timings.receiving);
        }
        if timings.blocked == 0 {
            trends.zero(REUSED);
        } else {
            trends.record_all(
                SET_UP,
                [
                    timings.blocked,
                    timings.looking_up,
                    timings.connecting,
                    timings.tls,
                ],
            );
        }
    }
}
