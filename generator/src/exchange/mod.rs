//! What a request is to recorder, flow and flush, whatever protocol carries it.
//!
//! A protocol is a folder with a client, a type that implements [`Exchange`] and a [`Protocol`] that it points to: which metrics its
//! requests have. Nothing below knows which protocols there are. Calls are resolved when the program is compiled: a request costs
//! neither an allocation nor a virtual call.

mod error_code;
mod protocol;
mod trends;

pub use error_code::ErrorCode;
pub use protocol::{Protocol, Trend, ZeroGroup};
pub use trends::{Trends, micros};

use crate::clock::Nanos;
use floodgate_records::metric::Tags;

/// One request, and what came of it.
pub trait Exchange: Copy + 'static {
    /// Which metrics it has.
    const PROTOCOL: &'static Protocol;

    /// When its last byte was read, or it failed, on the worker's clock.
    fn end(&self) -> Nanos;

    /// What went wrong, if anything.
    fn error(&self) -> Option<ErrorCode>;

    /// Bytes written for it.
    fn sent(&self) -> u64;

    /// Bytes read for it.
    fn received(&self) -> u64;

    /// What tells the series of its outcome from those of others: at most 24 bits.
    fn outcome(&self) -> u32;

    /// The tags with those of its outcome; called once an outcome.
    fn tags(&self, tags: Tags) -> Tags {
        tags.with("error_code", self.error().map_or("", ErrorCode::as_str))
    }

    /// Counts its times to the trends of [`Self::PROTOCOL`]. `intended` is when it was intended to begin.
    fn record(&self, intended: Nanos, trends: &mut Trends);
}
