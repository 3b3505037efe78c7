//! Of what kinds the failures of a run are: its error codes and the statuses that were not expected.

use super::MetricSource;
use floodgate_records::metric::{Builtin, Tags};
use std::fmt;

/// Kinds of failures that a sentence names.
const NAMED: usize = 3;

/// Failed requests by error code or, where a response came, by status; the most frequent first.
pub(crate) struct Failures(Vec<(String, u64)>);

impl Failures {
    /// Those of the whole run.
    pub(crate) fn of(source: &dyn MetricSource) -> Self {
        Self::among(source, &|_| true)
    }

    /// Those of requests whose tags are wanted.
    pub(crate) fn among(source: &dyn MetricSource, wanted: &dyn Fn(&Tags) -> bool) -> Self {
        let metric = Builtin::HttpReqs.name();
        let failed = |tags: &Tags| tags.get("expected_response") != Some("true") && wanted(tags);
        let count = |keep: &dyn Fn(&Tags) -> bool| {
            let found = source.select_where(metric, &|tags| failed(tags) && keep(tags));
            found.map_or(0, |s| s.sum.round() as u64)
        };
        let by = |tag: &'static str| source.tag_values(metric, tag).into_iter().map(|(v, _)| v);
        let codes = by("error_code").map(|code| {
            let n = count(&|tags| tags.get("error_code") == Some(&code));
            (code, n)
        });
        let statuses = by("status").filter(|status| status != "0").map(|status| {
            let n = count(&|tags| {
                tags.get("error_code").is_none() && tags.get("status") == Some(&status)
            });
            (format!("status {status}"), n)
        });
        let mut all: Vec<_> = codes.chain(statuses).filter(|(_, n)| *n > 0).collect();
        all.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        Self(all)
    }
}

impl fmt::Display for Failures {
    /// `connection_refused`, or with more kinds `status 404 (12), timeout (3)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0[..] {
            [] => f.write_str("for reasons that were not recorded"),
            [(only, _)] => f.write_str(only),
            all => {
                for (place, (kind, n)) in all.iter().take(NAMED).enumerate() {
                    let separator = if place == 0 { "" } else { ", " };
                    write!(f, "{separator}{kind} ({n})")?;
                }
                match all.len().saturating_sub(NAMED) {
                    0 => Ok(()),
                    more => write!(f, " and {more} more kinds"),
                }
            }
        }
    }
}

/// `1 request`, `40 requests`.
pub(crate) fn count_requests(n: u64) -> String {
    format!("{n} request{}", if n == 1 { "" } else { "s" })
}

/// Whether a request with these tags got no response.
pub fn is_unanswered(tags: &Tags) -> bool {
    match tags.get("status") {
        Some(status) => status == "0",
        None => tags.get("error_code").is_some(),
    }
}
