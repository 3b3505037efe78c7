//! What the figures rest on: generators, completeness, cost.

use crate::format::{bytes, count, duration, plural};
use crate::style::{Align, Style, Tone, fitting, plain, table};
use floodgate_records::manifest::{LimitSource, TaskEnding};
use floodgate_records::summary::{GeneratorSummary, Summary};

/// How many generators are listed; the worst come first.
const MAX_GENERATORS: usize = 8;
/// How many lines of a cost are named; the dearest come first.
const MAX_COST_ITEMS: usize = 4;

pub(super) fn generators(summary: &Summary, style: Style) -> String {
    if summary.generators.is_empty() {
        return String::new();
    }
    let mut list: Vec<&GeneratorSummary> = summary.generators.iter().collect();
    if list.len() > MAX_GENERATORS {
        list.sort_by(|a, b| {
            b.saturated
                .cmp(&a.saturated)
                .then(b.cpu_max.total_cmp(&a.cpu_max))
        });
    }
    let columns = [
        ("", Align::Left),
        ("task", Align::Right),
        ("CPU", Align::Right),
        ("peak", Align::Right),
        ("lag p99", Align::Right),
        ("lag max", Align::Right),
        ("start", Align::Right),
        ("memory", Align::Right),
    ];
    let rows = list.iter().take(MAX_GENERATORS).map(|g| {
        let (sign, tone) = match (g.outcome.known(), g.saturated) {
            (Some(TaskEnding::Failed), _) => ("✗ failed", Tone::Bad),
            (_, true) => ("? saturated", Tone::Warn),
            (Some(TaskEnding::Stopped), _) => ("✓ stopped", Tone::Plain),
            (Some(TaskEnding::Completed), _) => ("✓ ok", Tone::Good),
            (None, _) => (g.outcome.as_str(), Tone::Plain),
        };
        let sign_of = if g.start_skew_ms > 0.0 { "+" } else { "" };
        vec![
            (sign.to_owned(), tone),
            plain(g.task.to_string()),
            plain(cpu(g.cpu_mean)),
            plain(cpu(g.cpu_max)),
            plain(duration(g.lag_p99_ms, 3)),
            plain(duration(g.lag_max_ms, 3)),
            plain(format!("{sign_of}{}", duration(g.start_skew_ms, 3))),
            plain(bytes(g.peak_rss_bytes as f64)),
        ]
    });
    const LESS: [usize; 3] = [6, 5, 3];
    let mut text = fitting(style, &columns, rows.collect(), &LESS);
    if let Some(more) = list.len().checked_sub(MAX_GENERATORS).filter(|n| *n > 0) {
        text += &format!(
            "  {}\n",
            style.paint(&format!("and {more} more, none worse"), Tone::Dim)
        );
    }
    for line in limits(&list) {
        text += &format!("  {}\n", style.paint(&line, Tone::Dim));
    }
    text
}

/// Limits that are none of the machine's, each with who sets it; once where several generators have the same.
fn limits(generators: &[&GeneratorSummary]) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for g in generators {
        let by = |from: Option<LimitSource>| from.filter(|f| f.is_quota()).map(LimitSource::words);
        let cpu = by(g.limits.cpus_from).map(|by| format!("{} CPU by {by}", g.limits.cpus));
        let memory = g.limits.memory_bytes.zip(by(g.limits.memory_from));
        let memory = memory.map(|(most, by)| format!("{} of memory by {by}", bytes(most as f64)));
        let all: Vec<_> = cpu.into_iter().chain(memory).collect();
        let line = format!("limits: {}", all.join(", "));
        if !all.is_empty() && !lines.contains(&line) {
            lines.push(line);
        }
    }
    lines.truncate(MAX_GENERATORS);
    lines
}

/// CPU use in percent; a tenth of one is as much as its measure can tell.
fn cpu(ratio: f64) -> String {
    format!("{:.1} %", ratio * 100.0)
}

/// How many excluded shards are listed.
const MAX_EXCLUDED: usize = 5;

pub(super) fn completeness(summary: &Summary, style: Style) -> String {
    let c = &summary.completeness;
    let whole = c.missing_ratio() == 0.0 && c.tasks_reported >= c.tasks_expected;
    let (sign, tone) = if whole {
        ("✓", Tone::Good)
    } else {
        ("✗", Tone::Bad)
    };
    let facts = format!(
        "{} of {} reported, {} of {} merged",
        c.tasks_reported,
        plural(c.tasks_expected.into(), "task"),
        count(c.shards_merged),
        plural(c.shards_expected, "shard")
    );
    let mut rows = vec![vec![(sign.to_owned(), tone), plain(facts)]];
    for s in c.shards_excluded.iter().take(MAX_EXCLUDED) {
        rows.push(vec![
            plain(""),
            (
                format!("task {}, shard {} left out: {}", s.task, s.seq, s.reason),
                Tone::Bad,
            ),
        ]);
    }
    if let Some(more) = c
        .shards_excluded
        .len()
        .checked_sub(MAX_EXCLUDED)
        .filter(|n| *n > 0)
    {
        rows.push(vec![
            plain(""),
            (format!("and {more} more left out"), Tone::Bad),
        ]);
    }
    table(style, &[("", Align::Left), ("", Align::Wrap)], rows)
}

pub(super) fn cost(summary: &Summary, style: Style) -> String {
    let Some(cost) = &summary.cost else {
        return String::new();
    };
    let usd = |v: Option<f64>| v.map_or_else(|| "unknown".into(), |v| format!("${v:.4}"));
    let text = match cost.actual_usd {
        Some(_) => format!(
            "{} (estimate {})",
            usd(cost.actual_usd),
            usd(cost.estimate_usd)
        ),
        None => format!("estimate {}", usd(cost.estimate_usd)),
    };
    let prices = if cost.prices_of.is_empty() {
        String::new()
    } else {
        format!("list prices of {}", cost.prices_of)
    };
    let mut rows = vec![vec![plain(text), (prices, Tone::Dim)]];
    // The lines are many and mostly cents: what counts is named, the rest is a sum.
    let mut items: Vec<_> = cost.items.iter().collect();
    items.sort_by(|a, b| b.usd.total_cmp(&a.usd));
    for item in items.iter().take(MAX_COST_ITEMS) {
        rows.push(vec![
            plain(format!("{}  {}", usd(Some(item.usd)), item.what)),
            (item.region.clone(), Tone::Dim),
        ]);
    }
    let rest = items.get(MAX_COST_ITEMS..).unwrap_or_default();
    if !rest.is_empty() {
        let sum = rest.iter().map(|item| item.usd).sum();
        rows.push(vec![
            plain(format!("{}  all else", usd(Some(sum)))),
            plain(""),
        ]);
    }
    table(style, &[("", Align::Left), ("", Align::Left)], rows)
}
