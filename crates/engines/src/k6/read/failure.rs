//! Samples of failures out of what k6 writes: of requests, `http_req_failed` with the tags and times before it; of checks, those that
//! did not hold. Which request a check looked at k6 does not tell.

use super::samples::{MetricId, Samples};
use super::tags::SetId;
use crate::collector::Collector;
use floodgate_core::execution::failure::{FailureSample, Sent};
use floodgate_core::metric::{Builtin, Tags};
use std::collections::BTreeMap;

/// Times of a request, in the order in which k6 writes them.
const PHASES: [Builtin; 7] = [
    Builtin::HttpReqDuration,
    Builtin::HttpReqBlocked,
    Builtin::HttpReqConnecting,
    Builtin::HttpReqTlsHandshaking,
    Builtin::HttpReqSending,
    Builtin::HttpReqWaiting,
    Builtin::HttpReqReceiving,
];

/// What a metric says of a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Evidence {
    None,
    /// The time of this place in [`PHASES`].
    Time(u8),
    /// Whether the request failed.
    Request,
    /// Whether a check held.
    Check,
}

impl Evidence {
    pub(super) fn of(name: &str) -> Self {
        match Builtin::parse(name) {
            Some(Builtin::HttpReqFailed) => Self::Request,
            Some(Builtin::Checks) => Self::Check,
            Some(metric) => {
                let place = PHASES.iter().position(|&phase| phase == metric);
                place.map_or(Self::None, |place| Self::Time(place as u8))
            }
            None => Self::None,
        }
    }

    /// Whether a value of the metric is a failure.
    #[inline]
    pub(super) fn fails(self, value: f64) -> bool {
        match self {
            Self::Request => value != 0.0,
            Self::Check => value == 0.0,
            Self::None | Self::Time(_) => false,
        }
    }
}

/// The times of the request whose samples are being read, ms.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Times([f64; PHASES.len()]);

impl Times {
    #[inline]
    pub(super) fn note(&mut self, evidence: Evidence, value: f64) {
        if let Evidence::Time(place) = evidence {
            self.0[usize::from(place)] = value;
        }
    }

    fn named(&self) -> BTreeMap<String, f64> {
        let all = PHASES.iter().zip(self.0).filter(|(_, ms)| *ms > 0.0);
        all.map(|(phase, ms)| (phase.name().to_owned(), ms))
            .collect()
    }
}

impl Samples {
    /// Whether a sample is wanted of a failure that the latest call of [`Self::add`] told.
    #[cold]
    pub(super) fn wants_failure(&self, metric: MetricId, set: SetId, into: &mut Collector) -> bool {
        let tags = self.sets.tags(set);
        let of = |tag: &str| tags.get(tag).unwrap_or_default();
        let place = (of("scenario"), of("group"), of("name"), of("method"));
        into.wants_failure((metric, place, of("status"), of("error_code"), of("check")))
    }

    /// Makes the sample; `written` finds a tag as k6 wrote it.
    #[cold]
    pub(super) fn keep_failure<'a>(
        &self,
        metric: MetricId,
        set: SetId,
        at_us: i64,
        written: impl Fn(&str) -> Option<&'a str>,
        into: &mut Collector,
    ) {
        let tags = self.sets.tags(set);
        let mut sample = placed(tags);
        sample.at_ms = at_us.div_euclid(1_000);
        if self.evidence(metric) == Evidence::Check {
            sample.checks.extend(tags.get("check").map(str::to_owned));
            into.add_failure(sample);
            return;
        }
        let own = |tag: &str| written(tag).filter(|text| !text.is_empty());
        sample.message = own("error").map(str::to_owned);
        sample.request = own("url").map(|url| Sent {
            method: own("method").unwrap_or_default().to_owned(),
            url: url.to_owned(),
            ..Sent::default()
        });
        sample.times = self.times.named();
        into.add_failure(sample);
    }
}

/// A sample with what a tag set says. A check without a name of a request stands under its group.
fn placed(tags: &Tags) -> FailureSample {
    let text = |tag: &str| tags.get(tag).unwrap_or_default().to_owned();
    let name = tags.get("name").or_else(|| tags.get("group"));
    FailureSample {
        scenario: text("scenario"),
        name: name.unwrap_or_default().to_owned(),
        status: tags
            .get("status")
            .and_then(|status| status.parse().ok())
            .filter(|s| *s != 0),
        error: tags.get("error_code").map(str::to_owned),
        ..FailureSample::default()
    }
}
