//! Samples of failures out of what k6 writes: of requests, `http_req_failed` with the tags and times before it; of checks, those that
//! did not hold. Which request a check looked at k6 does not tell.

use super::evidence::Evidence;
use super::samples::{MetricId, Samples};
use super::tags::SetId;
use crate::collector::Collector;
use floodgate_records::failure::{FailureSample, Sent};
use floodgate_records::metric::Tags;

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
