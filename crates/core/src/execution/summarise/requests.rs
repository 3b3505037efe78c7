//! What became of requests and checks, by their names or another tag.

use crate::threshold::{Aggregate, Grouped, MetricSource};
use floodgate_records::metric::{Builtin, Tags};
use floodgate_records::summary::{CheckSummary, RequestSummary};
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::time::Duration;

/// The metrics of one kind of request.
struct Metrics {
    count: &'static str,
    failed: &'static str,
    times: &'static [&'static str],
}

const HTTP: Metrics = Metrics {
    count: Builtin::HttpReqs.name(),
    failed: Builtin::HttpReqFailed.name(),
    times: &[
        Builtin::HttpReqDuration.name(),
        Builtin::HttpReqResponseTime.name(),
    ],
};

/// What samplers of a JMeter plan send that is not HTTP.
const SAMPLES: Metrics = Metrics {
    count: "samples",
    failed: "sample_failed",
    times: &["sample_duration"],
};

/// The metrics that [`by_tag`] asks for.
pub const METRICS: [&str; 7] = [
    HTTP.count,
    HTTP.failed,
    HTTP.times[0],
    HTTP.times[1],
    SAMPLES.count,
    SAMPLES.failed,
    SAMPLES.times[0],
];

/// Requests by the values of a tag, the most failed first, then the most frequent; the rest in one row. Those without the tag have a row
/// with an empty name.
pub fn by_tag(source: &dyn MetricSource, tag: &str, elapsed: Duration) -> Vec<RequestSummary> {
    let mut rows: Vec<_> = [HTTP, SAMPLES]
        .iter()
        .flat_map(|metrics| {
            counted(source, tag, metrics)
                .into_iter()
                .map(move |row| (row, metrics))
        })
        .collect();
    rows.sort_by_key(|(r, _)| (Reverse(r.failed), Reverse(r.count)));
    let rest = rows.split_off(rows.len().min(RequestSummary::MAX_ROWS));
    let timed = |(mut row, metrics): (RequestSummary, &Metrics)| {
        if row.responses > 0 {
            row.times = times(source, (tag, &row.name), metrics, elapsed);
        }
        row
    };
    let mut rows: Vec<_> = rows.into_iter().map(timed).collect();
    rows.extend(rest.into_iter().map(|(row, _)| row).reduce(together));
    rows
}

fn counted(source: &dyn MetricSource, tag: &str, metrics: &Metrics) -> Vec<RequestSummary> {
    let mut rows: BTreeMap<String, RequestSummary> = BTreeMap::new();
    for (tags, sum) in sums(source, metrics.count, &[tag, "status", "error_code"]) {
        let [name, status, error] = &tags[..] else {
            continue;
        };
        let row = rows.entry(name.clone()).or_default();
        row.count += sum;
        let status = Some(status.as_str()).filter(|s| !matches!(*s, "" | "0"));
        let error = Some(error.as_str()).filter(|e| !e.is_empty());
        // What is not HTTP has no status; that it has no error means that it was answered.
        if status.is_some() || error.is_none() {
            row.responses += sum;
        }
        *row.outcomes.entry(outcome(status, error)).or_default() += sum;
    }
    for (tags, sum) in sums(source, metrics.failed, &[tag]) {
        if let Some(row) = rows.get_mut(&tags[0]) {
            row.failed += sum;
        }
    }
    let named = |(name, row)| RequestSummary {
        name,
        names: 1,
        ..row
    };
    rows.into_iter().map(named).collect()
}

/// One text for how a request ended.
fn outcome(status: Option<&str>, error: Option<&str>) -> String {
    match (status, error) {
        (Some(status), Some(error)) => format!("{status} {error}"),
        (Some(one), None) | (None, Some(one)) => one.to_owned(),
        (None, None) => "other".to_owned(),
    }
}

fn together(mut all: RequestSummary, one: RequestSummary) -> RequestSummary {
    all.name.clear();
    all.names += one.names;
    all.count += one.count;
    all.failed += one.failed;
    all.responses += one.responses;
    for (outcome, n) in one.outcomes {
        *all.outcomes.entry(outcome).or_default() += n;
    }
    all
}

fn times(
    source: &dyn MetricSource,
    (tag, value): (&str, &str),
    metrics: &Metrics,
    elapsed: Duration,
) -> BTreeMap<String, BTreeMap<String, f64>> {
    const SHOWN: [Aggregate; 4] = [
        Aggregate::Med,
        Aggregate::Percentile(95.0),
        Aggregate::Percentile(99.0),
        Aggregate::Max,
    ];
    let wanted = |tags: &Tags| tags.get(tag).unwrap_or_default() == value;
    let of = |metric: &&str| {
        let selected = source.select_where(metric, &wanted)?;
        let values = SHOWN
            .iter()
            .filter_map(|a| Some((a.to_string(), a.of(&selected, elapsed)?)));
        Some(((*metric).to_owned(), values.collect()))
    };
    metrics.times.iter().filter_map(of).collect()
}

/// How often each check held, by scenario, request and text.
pub(super) fn checks(source: &dyn MetricSource) -> Vec<CheckSummary> {
    let list = source.by_tags(Builtin::Checks.name(), &["check", "name", "scenario"]);
    let of = |(tags, s): Grouped<'_>| {
        let mut tags = tags.into_iter();
        let name = tags.next().filter(|name| !name.is_empty())?;
        let mut tag = || tags.next().filter(|value| !value.is_empty());
        let passes = s.sum.round() as u64;
        Some(CheckSummary {
            name,
            request: tag(),
            scenario: tag(),
            passes,
            fails: s.count.saturating_sub(passes),
        })
    };
    list.into_iter().filter_map(of).collect()
}

/// Failed requests by error code, or by status.
pub(super) fn errors(source: &dyn MetricSource) -> BTreeMap<String, u64> {
    let mut errors = BTreeMap::new();
    let tags = ["error_code", "status", "expected_response"];
    for (tags, sum) in sums(source, HTTP.count, &tags) {
        let [error, status, expected] = &tags[..] else {
            continue;
        };
        if let Some(code) = failed_as(error, status, expected) {
            *errors.entry(code.to_owned()).or_default() += sum;
        }
    }
    errors
}

/// Under which code requests with these tags failed; an absent tag is empty. `None`: they did not.
pub(crate) fn failed_as<'a>(error: &'a str, status: &'a str, expected: &str) -> Option<&'a str> {
    match (error, status) {
        ("", "" | "0") => None,
        ("", status) => (expected == "false").then_some(status),
        (error, _) => Some(error),
    }
}

/// The sums of a metric by tags, without those that are zero; an absent tag is empty.
fn sums(source: &dyn MetricSource, metric: &str, tags: &[&str]) -> Vec<(Vec<String>, u64)> {
    let grouped = source.by_tags(metric, tags).into_iter();
    grouped
        .map(|(tags, s)| (tags, s.sum.round() as u64))
        .filter(|(_, sum)| *sum > 0)
        .collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::threshold::testing::Samples;
    use floodgate_records::metric::MetricKind;

    fn with(source: Samples, tags: &[(&str, &str)], n: usize, failed: bool) -> Samples {
        let name: Vec<_> = tags.iter().copied().filter(|(k, _)| *k == "name").collect();
        let us = std::iter::repeat_n(2_000.0, n);
        source
            .with(
                "http_reqs",
                MetricKind::Counter,
                tags,
                std::iter::repeat_n(1.0, n),
            )
            .with(
                "http_req_failed",
                MetricKind::Rate,
                &name,
                std::iter::repeat_n(f64::from(u8::from(failed)), n),
            )
            .with("http_req_duration", MetricKind::Trend, &name, us)
    }

    const S: Duration = Duration::from_secs(1);

    #[test]
    fn a_row_says_what_became_of_its_requests() {
        let no = ("expected_response", "false");
        let mut source = Samples::default();
        for (tags, n, failed) in [
            (
                &[
                    ("name", "home"),
                    ("status", "200"),
                    ("expected_response", "true"),
                ][..],
                7,
                false,
            ),
            (&[("name", "home"), ("status", "404"), no], 2, true),
            (
                &[
                    ("name", "home"),
                    ("status", "200"),
                    ("error_code", "timeout"),
                    no,
                ],
                1,
                true,
            ),
            (
                &[
                    ("name", "dead"),
                    ("status", "0"),
                    ("error_code", "connection_refused"),
                    no,
                ],
                4,
                true,
            ),
            (&[("name", "fine"), ("status", "204")], 9, false),
        ] {
            source = with(source, tags, n, failed);
        }
        let rows = by_tag(&source, "name", S);
        let names: Vec<_> = rows
            .iter()
            .map(|r| (&*r.name, r.count, r.failed, r.responses))
            .collect();
        assert_eq!(
            names,
            [("dead", 4, 4, 0), ("home", 10, 3, 10), ("fine", 9, 0, 9)]
        );
        let outcomes: Vec<_> = rows[1].outcomes.iter().map(|(k, n)| (&**k, *n)).collect();
        assert_eq!(outcomes, [("200", 7), ("200 timeout", 1), ("404", 2)]);
        assert_eq!(rows[1].times["http_req_duration"]["p(95)"], 2.0);
        // Nothing came of it, so there is nothing to time.
        assert!(rows[0].times.is_empty());
        let errors: Vec<_> = errors(&source).into_iter().collect();
        let of = |code: &str, n| (code.to_owned(), n);
        assert_eq!(
            errors,
            [of("404", 2), of("connection_refused", 4), of("timeout", 1)]
        );
    }

    #[test]
    fn rows_are_bounded_and_nothing_is_lost() {
        let names: Vec<_> = (0..RequestSummary::MAX_ROWS + 30)
            .map(|n| format!("n{n:03}"))
            .collect();
        let source = names
            .iter()
            .enumerate()
            .fold(Samples::default(), |source, (i, name)| {
                with(source, &[("name", name), ("status", "200")], i + 1, false)
            });
        let rows = by_tag(&source, "name", S);
        assert_eq!(rows.len(), RequestSummary::MAX_ROWS + 1);
        let rest = rows.last().unwrap();
        assert_eq!(
            (rest.names, rest.count, rest.outcomes["200"]),
            (30, 465, 465)
        );
        let all: u64 = rows.iter().map(|r| r.count).sum();
        assert_eq!(all, (1..=names.len() as u64).sum::<u64>());
        assert!(rows[0].count > rows[1].count);
    }

    #[test]
    fn a_check_names_its_request() {
        let check = |source: Samples, name: &str, held: f64| {
            let tags = [
                ("check", "status == 200"),
                ("name", name),
                ("scenario", "buy"),
            ];
            source.with("checks", MetricKind::Rate, &tags, [held])
        };
        let source = check(check(Samples::default(), "cart", 1.0), "pay", 0.0);
        let shown: Vec<_> = checks(&source)
            .into_iter()
            .map(|c| (c.request.unwrap(), c.scenario.unwrap(), c.passes, c.fails))
            .collect();
        assert_eq!(
            shown,
            [
                ("cart".into(), "buy".into(), 1, 0),
                ("pay".to_owned(), "buy".to_owned(), 0, 1)
            ]
        );
        assert!(checks(&Samples::default()).is_empty());
    }
}
