//! Metrics of the test's own.

use super::context::Decoder;
use crate::definition::keys::grammar::extractor;
use crate::definition::keys::step;
use crate::definition::model::{Extractor, Recorded};
use crate::definition::tree::{Entry, Node};
use crate::threshold::checked_key;
use floodgate_records::metric::{Builtin, MetricKind, OTHER_REQUESTS};
use floodgate_records::printable::quoted;

/// A metric of engines that run scripts, by which it is judged whether all requests failed.
const OTHER_FAILURES: &str = "sample_failed";

impl Decoder<'_> {
    /// `record` of a request.
    pub(super) fn recorded(&mut self, node: &Node) -> Vec<Recorded> {
        let mut recorded = Vec::new();
        for entry in step::RECORD.entries(node) {
            let place = step::VALUE.place(&entry.value).unwrap_or(&entry.value);
            let kind = step::KIND.or_default(&entry.value);
            self.own_metric(entry, kind);
            let from = place.text().and_then(|text| extractor(&text).ok());
            if let Some(Extractor::JsonPath(path)) = &from {
                self.no_length(place, path);
            }
            recorded.extend(from.map(|from| Recorded {
                metric: entry.key.clone(),
                kind,
                from,
            }));
        }
        recorded
    }

    /// Takes note of a metric, which must have one type everywhere and no name that means something already.
    pub(super) fn own_metric(&mut self, entry: &Entry, kind: MetricKind) {
        let name = &entry.key;
        let others = || OTHER_REQUESTS.into_iter().chain([OTHER_FAILURES]);
        if Builtin::parse(name).is_some() || others().any(|other| other == name) {
            let issue =
                entry.key_issue(format!("the metric {} is the program's own", quoted(name)));
            self.sink.push(issue.hint("give it another name"));
        } else if let Err(error) = checked_key(name) {
            // A threshold on it could not be told from one on a misspelt name.
            if let Some(near) = error.hint {
                let issue = entry.key_issue(format!("{} is too much like {near}", quoted(name)));
                self.sink.push(issue.hint("give it another name"));
            }
        }
        let known = *self.metrics.entry(name.clone()).or_insert(kind);
        if known != kind {
            let problem = format!("{} is a {known} elsewhere, and a {kind} here", quoted(name));
            let issue = entry.key_issue(problem);
            self.sink
                .push(issue.hint("give each type a name of its own"));
        }
    }
}
