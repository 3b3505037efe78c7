//! The generators: how evenly they worked, and whether they were fit to.

use crate::format::{bytes, count, duration, percent, plural};
use crate::html::model::{Cell, Part, Section, Table, Text, number, text};
use crate::style::Tone;
use floodgate_records::execution::Execution;
use floodgate_records::manifest::{LimitSource, TaskEnding};
use floodgate_records::summary::{GeneratorSummary, Summary};

/// Excluded shards that are named.
const MAX_EXCLUDED: usize = 20;

pub(super) fn tasks(execution: &Execution, summary: &Summary) -> Section {
    let c = &summary.completeness;
    let mut notes = vec![format!(
        "{} of {} reported, {} of {} merged",
        count(c.tasks_reported.into()),
        plural(c.tasks_expected.into(), "task"),
        count(c.shards_merged),
        plural(c.shards_expected, "shard")
    )];
    notes.extend(
        c.tasks_lost
            .iter()
            .map(|task| format!("task {task} is lost")),
    );
    notes.extend(c.disagreements.iter().cloned());
    let excluded = c.shards_excluded.iter().take(MAX_EXCLUDED);
    notes.extend(
        excluded.map(|s| format!("task {}, shard {} left out: {}", s.task, s.seq, s.reason)),
    );
    if let Some(more) = c
        .shards_excluded
        .len()
        .checked_sub(MAX_EXCLUDED)
        .filter(|n| *n > 0)
    {
        notes.push(format!("and {more} more left out"));
    }
    notes.extend(spread(&summary.generators));
    if let Some(us) = execution
        .start_skew_us
        .filter(|_| summary.generators.len() > 1)
    {
        let skew = duration(us as f64 / 1e3, 3);
        notes.push(format!("the tasks started within {skew} of each other"));
    }
    let notes = Part::List(notes.iter().map(Text::of).collect());
    let table = table(&summary.generators).part();
    Section::new("tasks", "Tasks", [notes].into_iter().chain(table).collect())
}

/// How far the tasks are apart in CPU use and in lag.
fn spread(generators: &[GeneratorSummary]) -> Option<String> {
    if generators.len() < 2 {
        return None;
    }
    let range = |of: fn(&GeneratorSummary) -> f64| {
        let values = generators.iter().map(of);
        values.fold((f64::INFINITY, 0.0_f64), |(low, high), v| {
            (low.min(v), high.max(v))
        })
    };
    let (cpu, lag) = (range(|g| g.cpu_mean), range(|g| g.lag_p99_ms));
    Some(format!(
        "spread over the tasks: mean CPU {} to {}, lag p99 {} to {}",
        percent(cpu.0),
        percent(cpu.1),
        duration(lag.0, 3),
        duration(lag.1, 3)
    ))
}

fn table(generators: &[GeneratorSummary]) -> Table {
    let limit = |from: Option<LimitSource>| from.map_or("", LimitSource::words);
    let row = |g: &GeneratorSummary| {
        let (sign, tone) = match (g.outcome.known(), g.saturated) {
            (Some(TaskEnding::Failed), _) => ("✗ failed", Tone::Bad),
            (_, true) => ("? saturated", Tone::Warn),
            (Some(TaskEnding::Stopped), _) => ("✓ stopped", Tone::Plain),
            (Some(TaskEnding::Completed), _) => ("✓ ok", Tone::Good),
            (None, _) => (g.outcome.as_str(), Tone::Plain),
        };
        let time = |ms: f64| Cell::number(duration(ms, 3), ms);
        let share = |ratio: f64| Cell::number(percent(ratio), ratio);
        let seconds = |n: u64| Cell::number(count(n), n as f64);
        let memory = g.limits.memory_bytes.map(|most| bytes(most as f64));
        let sign_of = if g.start_skew_ms > 0.0 { "+" } else { "" };
        vec![
            Cell::of(sign).toned(tone),
            Cell::number(g.task.to_string(), f64::from(g.task)),
            share(g.cpu_mean),
            share(g.cpu_max),
            seconds(g.saturated_seconds),
            seconds(g.throttled_seconds),
            seconds(g.stolen_seconds),
            time(g.lag_p99_ms),
            time(g.lag_max_ms),
            Cell::number(
                format!("{sign_of}{}", duration(g.start_skew_ms, 3)),
                g.start_skew_ms,
            ),
            Cell::number(bytes(g.peak_rss_bytes as f64), g.peak_rss_bytes as f64),
            Cell::dim(format!(
                "{} CPU{}{}",
                g.limits.cpus,
                Some(limit(g.limits.cpus_from))
                    .filter(|by| !by.is_empty())
                    .map_or_else(String::new, |by| format!(" by {by}")),
                memory.map_or_else(String::new, |most| format!(", {most}"))
            )),
        ]
    };
    Table {
        caption: Text::of("How each generator fared"),
        columns: vec![
            text(""),
            number("task"),
            number("CPU"),
            number("peak"),
            number("saturated s"),
            number("throttled s"),
            number("stolen s"),
            number("lag p99"),
            number("lag max"),
            number("start"),
            number("memory"),
            text("may use"),
        ],
        rows: generators.iter().map(row).collect(),
        live: true,
    }
}
