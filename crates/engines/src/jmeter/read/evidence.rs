//! What a JTL tells of a failure beside its figures.

use super::outcome::{Code, Outcome};
use crate::jmeter::figures::Figures;
use floodgate_records::failure::{Excerpt, FailureSample, Received, Sent};
use floodgate_records::metric::Builtin;

/// Parts of a JTL's record of a failed sample, cut to what is kept of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Evidence {
    pub(super) method: String,
    pub(super) url: String,
    /// The response code and message as they stand.
    pub(super) code: String,
    pub(super) message: String,
    /// Why assertions did not hold.
    pub(super) failure: String,
    /// Their names, where the results have them.
    pub(super) checks: Vec<String>,
}

/// The most assertions of a sample that are named.
const MOST_CHECKS: usize = 20;

/// A text of at most what is kept until secrets have been left out.
pub(super) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(Excerpt::RAW_BYTES)]).into_owned()
}

impl Evidence {
    /// An assertion that failed, and why.
    pub(super) fn unmet(&mut self, name: &str, why: &str) {
        if self.checks.len() < MOST_CHECKS {
            self.checks.push(name.to_owned());
        }
        let separator = if self.failure.is_empty() { "" } else { "; " };
        if self.failure.len() + why.len() <= Excerpt::RAW_BYTES {
            self.failure += &format!("{separator}{}", why.trim());
        }
    }

    /// The sample; `place` are the scenario and the name.
    pub(super) fn sample(
        self,
        place: (String, String),
        outcome: Outcome,
        figures: &Figures,
    ) -> FailureSample {
        let Code { status, .. } = outcome.code;
        let said = [&self.code, &self.message].map(|text| text.trim());
        let said: Vec<_> = said.into_iter().filter(|text| !text.is_empty()).collect();
        // What stands for the status line, or for the exception in its place.
        let (line, problem) = match status {
            0 => (None, said.join(": ")),
            _ => (Some(said.join(" ")), String::new()),
        };
        let message = [problem, self.failure]
            .into_iter()
            .filter(|text| !text.is_empty());
        let message = message.collect::<Vec<_>>().join("; ");
        let request = !self.url.is_empty() && self.url != "null";
        FailureSample {
            at_ms: figures.end_ms(),
            scenario: place.0,
            name: place.1,
            status: Some(status).filter(|status| *status != 0),
            error: outcome.code.error_code().map(str::to_owned),
            message: Some(message).filter(|message| !message.is_empty()),
            checks: self.checks,
            request: request.then(|| Sent {
                method: self.method,
                url: self.url,
                ..Sent::default()
            }),
            response: line.map(|line| Received {
                line,
                ..Received::default()
            }),
            times: times(figures),
            ..FailureSample::default()
        }
    }
}

/// Times by the names of the metrics that they count to.
fn times(figures: &Figures) -> std::collections::BTreeMap<String, f64> {
    let connect = figures.connect_ms.unwrap_or(0).min(figures.elapsed_ms);
    let latency = figures.latency_ms.filter(|latency| *latency > 0);
    let first = latency.map(|latency| latency.min(figures.elapsed_ms).max(connect));
    let named = |metric: Builtin, ms: u64| (metric.name().to_owned(), ms as f64);
    // A phase that took none of its milliseconds says nothing; all of it together does.
    let of = |metric, ms: Option<u64>| ms.filter(|ms| *ms > 0).map(|ms| named(metric, ms));
    let all = figures.elapsed_ms - connect;
    [
        Some(named(Builtin::HttpReqDuration, all)),
        of(Builtin::HttpReqConnecting, Some(connect)),
        of(Builtin::HttpReqWaiting, first.map(|first| first - connect)),
        of(
            Builtin::HttpReqReceiving,
            first.map(|first| figures.elapsed_ms - first),
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}
