//! The numbers of a test over its runs.

use crate::comparison::{change, value_of};
use crate::format::{plural, utc_minute};
use crate::sparkline::sparkline;
use crate::style::{Align, Style, Tone, of_status, plain, table};
use floodgate_records::comparison::{Change, ComparedRun};
use floodgate_records::trend::{Trend, TrendChange, TrendMetric};

/// Values that a history shows.
const SHOWN: usize = 24;
/// Characters of a commit that are enough to find it.
const COMMIT: usize = 12;
/// Runs below which a change and an accident look the same.
const FEW: usize = 8;

/// What became of a test's numbers: `floodgate trend`.
pub fn trend(t: &Trend, style: Style) -> String {
    let mut text = format!(
        "{}  {}\n",
        style.strong(&t.test, Tone::Plain),
        style.paint(&span_of(t), Tone::Dim)
    );
    let columns = [
        ("metric", Align::Wrap),
        ("now", Align::Right),
        ("history", Align::Left),
    ];
    let rows = t.metrics.iter().map(|metric| {
        let now = metric.values.iter().rev().flatten().next();
        vec![
            plain(&metric.id),
            plain(now.map_or_else(|| "–".to_owned(), |now| value(metric, *now))),
            (history(metric), Tone::Dim),
        ]
    });
    text.push('\n');
    text += &table(style, &columns, rows.collect());
    let changes = t.metrics.iter().flat_map(|metric| {
        let of_metric = metric.changes.iter();
        of_metric.map(move |change| (metric, change))
    });
    let mut changes: Vec<_> = changes.collect();
    changes.sort_by_key(|(_, change)| change.run);
    if !changes.is_empty() {
        text += &format!("\n{}\n", style.strong("Changes", Tone::Plain));
    }
    for (metric, found) in changes {
        text += &lines(t, metric, found, style);
    }
    text.push('\n');
    let mut notes = vec![basis(t)];
    notes.extend(t.notes.iter().cloned());
    notes.extend(t.left_out.iter().map(|why| format!("left out: {why}")));
    let notes = notes.into_iter().map(|note| vec![(note, Tone::Dim)]);
    text + &table(style, &[("", Align::Wrap)], notes.collect())
}

/// The numbers of each run, the oldest first: `floodgate trend` of a number that was asked for.
pub fn trend_by_run(t: &Trend, style: Style) -> String {
    let mut columns = vec![
        ("execution", Align::Left),
        ("started (UTC)", Align::Left),
        ("commit", Align::Left),
    ];
    let same = |m: &TrendMetric| {
        let others = t.metrics.iter().filter(|o| o.aggregate == m.aggregate);
        others.count() > 1
    };
    columns.extend(t.metrics.iter().map(|m| match same(m) {
        true => (m.id.as_str(), Align::Wrap),
        false => (m.aggregate.as_str(), Align::Right),
    }));
    let row = |(at, run): (usize, &ComparedRun)| {
        let commit: String = run
            .commit
            .iter()
            .flat_map(|c| c.chars())
            .take(COMMIT)
            .collect();
        let (tone, sign) = of_status(run.status);
        let mut fields = vec![
            (format!("{sign} {}", run.execution), tone),
            (
                run.started_ms.map_or_else(String::new, utc_minute),
                Tone::Dim,
            ),
            (commit, Tone::Dim),
        ];
        fields.extend(t.metrics.iter().map(|metric| {
            let known = metric.values.get(at).copied().flatten();
            plain(known.map_or_else(|| "–".to_owned(), |ms| value(metric, ms)))
        }));
        fields
    };
    table(
        style,
        &columns,
        t.runs.iter().enumerate().map(row).collect(),
    )
}

fn span_of(t: &Trend) -> String {
    let runs = plural(t.runs.len() as u64, "run");
    let mut starts = t.runs.iter().filter_map(|run| run.started_ms);
    match (starts.next(), starts.next_back()) {
        (Some(from), Some(to)) => format!("{runs}, {} to {} UTC", utc_minute(from), utc_minute(to)),
        _ => runs,
    }
}

fn basis(t: &Trend) -> String {
    let chance = t.max_p_value * 100.0;
    let few = match t.runs.len() {
        n if n < FEW => format!(
            "{} are few to tell a change from an accident; ",
            plural(n as u64, "run")
        ),
        _ => String::new(),
    };
    format!(
        "{few}changes of {} % or more, each with a chance of {chance} % where there is none",
        t.min_effect * 100.0
    )
}

/// A change takes two lines or more, so that neither its size nor its run is cut on a narrow terminal.
fn lines(t: &Trend, metric: &TrendMetric, found: &TrendChange, style: Style) -> String {
    let (sign, tone) = match found.outcome {
        Change::Improved => ("✓", Tone::Good),
        _ => ("✗", Tone::Bad),
    };
    let size = found
        .change
        .map_or_else(String::new, |by| format!(" {}", change(1.0 + by)));
    let what = format!(
        "{}{size}: {} → {}",
        metric.id,
        value(metric, found.before),
        value(metric, found.after)
    );
    let run = t.runs.get(found.run);
    let facts = [
        Some(found.execution.clone()),
        found.commit.as_ref().map(|commit| {
            let short: String = commit.chars().take(COMMIT).collect();
            format!("commit {short}")
        }),
        run.and_then(|run| run.started_ms)
            .map(|ms| format!("{} UTC", utc_minute(ms))),
    ];
    let facts: Vec<_> = facts.into_iter().flatten().collect();
    let also = found
        .also
        .iter()
        .map(|also| vec![plain(""), (also.clone(), Tone::Warn)]);
    let mut rows = vec![
        vec![(sign.to_owned(), tone), plain(what)],
        vec![plain(""), (facts.join(" · "), Tone::Dim)],
    ];
    rows.extend(also);
    table(style, &[("", Align::Left), ("", Align::Wrap)], rows)
}

/// The last values as bars, the lowest of them lowest; a gap where a run has none.
fn history(metric: &TrendMetric) -> String {
    let from = metric.values.len().saturating_sub(SHOWN);
    sparkline(&metric.values[from..])
}

fn value(metric: &TrendMetric, v: f64) -> String {
    value_of(&metric.key, metric.kind, &metric.aggregate, v)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(crate) mod tests {
    use super::*;
    use floodgate_records::comparison::ComparedRun;
    use floodgate_records::metric::MetricKind;
    use floodgate_records::outcome::Direction;
    use floodgate_records::status::Status;

    const HOUR_MS: i64 = 3_600_000;

    pub(crate) fn example() -> Trend {
        let run = |at: i64| ComparedRun {
            execution: format!("01KAKQ8Z5T3M9W2C7XH4RJ6E{at:02}"),
            test: "shop/checkout".into(),
            version: "v1".into(),
            commit: Some("4be8a2f90c1d77aa52f1".into()),
            status: Status::Passed,
            started_ms: Some(1_763_760_000_000 + at * HOUR_MS),
        };
        let p95: Vec<_> = (0..12)
            .map(|n| Some(if n < 7 { 200.0 } else { 240.0 } + f64::from(n % 3)))
            .collect();
        let failed = (0..12).map(|n| (n != 4).then_some(0.001)).collect();
        let metric = |id: &str, kind, values| {
            let (key, aggregate) = id.rsplit_once(' ').unwrap();
            TrendMetric {
                id: id.into(),
                key: key.into(),
                aggregate: aggregate.into(),
                kind: Some(kind),
                direction: Direction::of(key, kind),
                values,
                changes: Vec::new(),
            }
        };
        let mut changed = metric(
            "http_req_duration{name:checkout} p(95)",
            MetricKind::Trend,
            p95,
        );
        changed.changes.push(TrendChange {
            run: 7,
            execution: "01KAKQ8Z5T3M9W2C7XH4RJ6E07".into(),
            commit: Some("4be8a2f90c1d77aa52f1".into()),
            outcome: Change::Regressed,
            before: 200.9,
            after: 241.0,
            change: Some(0.1996),
            p_value: 1e-12,
            also: vec!["the test has changed: version 0123456789ab and ba9876543210".into()],
        });
        Trend {
            schema: Trend::SCHEMA,
            test: "shop/checkout".into(),
            max_p_value: 0.001,
            min_effect: 0.05,
            runs: (0..12).map(run).collect(),
            notes: Vec::new(),
            left_out: vec!["01KAKQ8Z5T3M9W2C7XH4RJ6E99 has no summary here".into()],
            metrics: vec![
                changed,
                metric("http_req_failed rate", MetricKind::Rate, failed),
            ],
        }
    }

    #[test]
    fn changes_are_named_within_eighty_columns() {
        let narrow = Style {
            color: false,
            width: 80,
        };
        let text = trend(&example(), narrow);
        assert!(
            text.lines().all(|line| line.chars().count() <= 80),
            "{text}"
        );
        insta::assert_snapshot!("trend", text);
        let runs = trend_by_run(&example(), narrow);
        assert!(
            runs.lines().all(|line| line.chars().count() <= 80),
            "{runs}"
        );
        insta::assert_snapshot!("trend_by_run", runs);
    }

    #[test]
    fn without_runs_there_is_nothing_to_show() {
        let mut empty = example();
        empty.runs.clear();
        empty.left_out.clear();
        for metric in &mut empty.metrics {
            metric.values.clear();
            metric.changes.clear();
        }
        let text = trend(&empty, Style::PLAIN);
        assert!(
            text.contains("0 runs are few") && !text.contains("Changes"),
            "{text}"
        );
    }
}
