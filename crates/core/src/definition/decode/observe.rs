//! `observe`.

use super::context::Decoder;
use crate::definition::field::Value;
use crate::definition::keys::{observe, places, root, threshold};
use crate::definition::model::{CloudWatchSource, ObserveSource, ObserveSpec, PrometheusSource};
use crate::definition::tree::{Entry, Node};
use crate::threshold::parse_key;
use floodgate_records::metric::MetricKind;
use floodgate_records::printable::quoted;
use std::time::Duration;

const TEN_SECONDS: Duration = Duration::from_secs(10);
const A_MINUTE: Duration = Duration::from_secs(60);
const OF_PROMETHEUS: [&str; 4] = ["query", "user", "password", "token"];
const OF_CLOUDWATCH: [&str; 4] = ["metric", "dimensions", "statistic", "region"];

/// Whether CloudWatch has periods of so many seconds
/// (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricStat.html>).
const fn is_period(seconds: u64) -> bool {
    matches!(seconds, 1 | 5 | 10 | 20 | 30) || seconds.is_multiple_of(60)
}

impl Decoder<'_> {
    /// What is asked of other systems. Their metrics are known to what is decoded after them.
    pub(super) fn observed(&mut self, root: &Node) -> Vec<ObserveSpec> {
        let entries = root::OBSERVE.entries(root).iter();
        entries.filter_map(|entry| self.observe(entry)).collect()
    }

    fn observe(&mut self, entry: &Entry) -> Option<ObserveSpec> {
        self.own_metric(entry, MetricKind::Trend);
        let node = &entry.value;
        let (source, usual) = match observe::CLOUDWATCH.place(node) {
            Some(namespace) => (self.cloudwatch(node, namespace)?, A_MINUTE),
            None => (self.prometheus(node)?, TEN_SECONDS),
        };
        Some(ObserveSpec {
            metric: entry.key.clone(),
            source,
            interval: observe::INTERVAL.of(node).unwrap_or(usual),
        })
    }

    fn prometheus(&mut self, node: &Node) -> Option<ObserveSource> {
        let url = observe::PROMETHEUS.place(node)?;
        self.only_of(node, "prometheus", &OF_CLOUDWATCH);
        self.needs(node, observe::QUERY.place(node), "query");
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
        Some(ObserveSource::Prometheus(PrometheusSource {
            url: places::source(&url.string()?).ok()?,
            query: String::read(observe::QUERY.place(node)?)?,
            user: observe::USER.of(node),
            password: self.by_reference(observe::PASSWORD.place(node), "password"),
            token: self.by_reference(observe::TOKEN.place(node), "token"),
        }))
    }

    fn cloudwatch(&mut self, node: &Node, namespace: &Node) -> Option<ObserveSource> {
        self.only_of(node, "cloudwatch", &OF_PROMETHEUS);
        self.needs(node, observe::METRIC.place(node), "metric");
        for shown in [Some(namespace), observe::METRIC.place(node)] {
            shown.into_iter().for_each(|place| self.no_secret(place));
        }
        if let (Some(place), Some(time)) = (
            observe::INTERVAL.place(node),
            observe::INTERVAL.of(node).map(|time| time.as_secs()),
        ) && !is_period(time)
        {
            let issue = place.issue(format!("CloudWatch has no periods of {time}s"));
            self.sink
                .push(issue.hint("write 1s, 5s, 10s, 20s, 30s or whole minutes"));
        }
        Some(ObserveSource::CloudWatch(CloudWatchSource {
            namespace: namespace.string()?,
            metric: observe::METRIC.of(node)?,
            dimensions: self.tags(node, observe::DIMENSIONS),
            statistic: observe::STATISTIC_KEY.or_default(node),
            region: observe::REGION.of(node),
        }))
    }

    /// Reports keys that belong to another source.
    fn only_of(&mut self, node: &Node, source: &str, others: &[&str]) {
        for place in others.iter().filter_map(|key| node.get(key)) {
            let issue = place.issue(format!("{source} does not take this key"));
            self.sink.push(issue.hint("remove it"));
        }
    }

    fn needs(&mut self, node: &Node, place: Option<&Node>, key: &str) {
        if place.is_none() {
            self.sink
                .push(node.issue(format!("the key {} is missing", quoted(key))));
        }
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
