//! The systems that are asked.

use crate::cloudwatch::CloudWatch;
use crate::prometheus::Prometheus;
use crate::told::{Silence, Times, Told};
use floodgate_core::definition::model::ObserveSource;

/// One of them, with its question.
pub(crate) enum Source {
    Prometheus(Prometheus),
    CloudWatch(Box<CloudWatch>),
}

/// How late values may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// How long after its time a value may still come; as long a live export waits for it.
    pub(crate) given_up_after_ms: i64,
    /// The same when the load has ended and the source answers: as long as somebody waits then.
    pub(crate) late_ms: i64,
    /// Between two questions that failed, at first.
    pub(crate) first_pause_ms: i64,
}

/// A Prometheus has what it scraped.
const PROMETHEUS: Pace = Pace {
    given_up_after_ms: 30_000,
    late_ms: 5_000,
    first_pause_ms: 1_000,
};
/// Services send their metrics by the minute, and what they sent takes a while to be seen.
const CLOUDWATCH: Pace = Pace {
    given_up_after_ms: 180_000,
    late_ms: 180_000,
    first_pause_ms: 4_000,
};

impl Source {
    /// Nothing is connected yet.
    ///
    /// # Errors
    /// A URL that is none: a sentence.
    pub(crate) fn new(source: &ObserveSource) -> Result<Self, String> {
        Ok(match source {
            ObserveSource::Prometheus(source) => Self::Prometheus(Prometheus::new(source)?),
            ObserveSource::CloudWatch(source) => {
                Self::CloudWatch(Box::new(CloudWatch::new(source)))
            }
        })
    }

    /// How late its values may be.
    pub(crate) const fn pace_of(source: &ObserveSource) -> Pace {
        match source {
            ObserveSource::Prometheus(_) => PROMETHEUS,
            ObserveSource::CloudWatch(_) => CLOUDWATCH,
        }
    }

    /// Asks for the values at some times.
    ///
    /// # Errors
    /// [`Silence`].
    pub(crate) async fn ask(&mut self, times: Times) -> Result<Told, Silence> {
        match self {
            Self::Prometheus(source) => source.ask(times).await,
            Self::CloudWatch(source) => source.ask(times).await,
        }
    }
}
