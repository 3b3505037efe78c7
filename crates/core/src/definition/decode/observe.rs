//! `observe`.

use super::context::Decoder;
use crate::definition::field::Value;
use crate::definition::keys::{observe, places, root, threshold};
use crate::definition::model::ObserveSpec;
use crate::definition::tree::{Entry, Node};
use crate::threshold::parse_key;
use floodgate_records::metric::MetricKind;

impl Decoder<'_> {
    /// What is asked of other systems. Their metrics are known to what is decoded after them.
    pub(super) fn observed(&mut self, root: &Node) -> Vec<ObserveSpec> {
        let entries = root::OBSERVE.entries(root).iter();
        entries.filter_map(|entry| self.observe(entry)).collect()
    }

    fn observe(&mut self, entry: &Entry) -> Option<ObserveSpec> {
        self.own_metric(entry, MetricKind::Trend);
        let node = &entry.value;
        let url = observe::PROMETHEUS.place(node)?;
        // Messages and records show these.
        for shown in [
            Some(url),
            observe::QUERY.place(node),
            observe::USER.place(node),
        ] {
            shown.into_iter().for_each(|place| self.no_secret(place));
        }
        if let (Some(place), Some(_)) = (observe::TOKEN.place(node), observe::PASSWORD.place(node))
        {
            let issue = place.issue("a token and a password stand side by side");
            self.sink.push(issue.hint("remove one of them"));
        }
        if let (Some(place), None) = (observe::PASSWORD.place(node), observe::USER.place(node)) {
            let issue = place.issue("a password stands without a user");
            self.sink.push(issue.hint("write user, too"));
        }
        Some(ObserveSpec {
            metric: entry.key.clone(),
            prometheus: places::source(&url.string()?).ok()?,
            query: String::read(observe::QUERY.place(node)?)?,
            interval: observe::INTERVAL.or_default(node),
            user: observe::USER.of(node),
            password: self.by_reference(observe::PASSWORD.place(node), "password"),
            token: self.by_reference(observe::TOKEN.place(node), "token"),
        })
    }

    /// Reports thresholds on observed metrics that would have to be judged while the run goes on, by what generators tell.
    pub(super) fn observed_is_judged_at_the_end(&mut self, root: &Node, observed: &[ObserveSpec]) {
        let is_observed = |entry: &&Entry| {
            parse_key(&entry.key)
                .is_ok_and(|key| observed.iter().any(|spec| spec.metric == key.metric))
        };
        for entry in root::THRESHOLDS.entries(root).iter().filter(is_observed) {
            let metric = &entry.key;
            if root::CAPACITY.is_given(root) {
                let issue = entry.key_issue(format!(
                    "a search for the capacity cannot judge its steps by {metric}, which is observed"
                ));
                self.sink
                    .push(issue.hint("remove the threshold, or capacity"));
            }
            for item in entry.value.one_or_more() {
                if let Some(place) = threshold::ABORT_ON_FAIL.place(item)
                    && threshold::ABORT_ON_FAIL.or_default(item)
                {
                    let issue = place.issue(format!(
                        "{metric} is observed, and judged when the run has ended"
                    ));
                    self.sink.push(issue.hint("remove abortOnFail"));
                }
            }
        }
    }
}
