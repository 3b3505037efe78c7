//! What a reader should know beside the verdict. Each warning says what to change.

use super::health::{is_contended, is_often, standstill_decides};
use super::words::{count, number, percent, tasks};
use super::{Evidence, LAG_LIMIT_US, STANDSTILL_US, Saturation, compared, own};
use floodgate_records::manifest::{Manifest, TaskOutcome};
use floodgate_records::outcome::Outcome;

/// Largest difference between the starts of two tasks that passes without a word, in µs: the width of a recording window.
const SKEW_LIMIT_US: i64 = 1_000_000;

/// All warnings that the evidence gives rise to.
pub(super) fn collect(e: &Evidence<'_>) -> Vec<String> {
    let mut all = Vec::new();
    all.extend(saturation(e.manifests));
    all.extend(lag(e.manifests));
    all.extend(contention(e.manifests));
    all.extend(steal(e.manifests));
    all.extend(standstill(e.manifests));
    all.extend(drops(e));
    all.extend(tolerated(e));
    all.extend(folded_and_clamped(e.manifests));
    all.extend(skew(e.manifests));
    // What an order to stop cut off is no matter of gracefulStop.
    let completed = |m: &&Manifest| m.outcome == TaskOutcome::Completed;
    if let Some(i) = some(
        e.manifests
            .iter()
            .filter(completed)
            .map(|m| m.totals.interrupted_iterations)
            .sum(),
    ) {
        all.push(format!(
            "{} cut off at the end of gracefulStop; raise gracefulStop to let them finish",
            was(count(i, "iteration"), i)
        ));
    }
    let failed = e.manifests.iter().map(|m| m.totals.failed_iterations).sum();
    if let Some(n) = some(failed) {
        all.push(format!(
            "{} ended early, since an extraction found nothing for the steps behind it: see the checks named extract; onMissing: \
             continue goes on without",
            count(n, "iteration")
        ));
    }
    for note in e.baseline.iter().filter_map(|b| b.note.as_ref()) {
        if !all.contains(note) {
            all.push(note.clone());
        }
    }
    all.extend(e.comparison.into_iter().flat_map(compared::doubts));
    let compared = !e.baseline.is_empty() || e.comparison.is_some();
    // One that is not the definition's own: that is what the verdict says then.
    let all_failed = e.thresholds.iter().any(|t| t.outcome == Outcome::Failed);
    let unasked = own(e.thresholds).next().is_none() && !compared && e.capacity.is_none();
    if unasked && !all_failed {
        all.push(
            "the test has no thresholds, so the verdict says only that it ran and not everything failed; add thresholds"
                .to_owned(),
        );
    }
    all.extend(said_by_tasks(e.manifests));
    all
}

/// The tasks' own warnings, in the order of the first task that has them; what several say stands once.
fn said_by_tasks(manifests: &[Manifest]) -> Vec<String> {
    let mut said: Vec<(&str, Vec<u32>)> = Vec::new();
    for manifest in manifests {
        for warning in &manifest.warnings {
            match said.iter_mut().find(|(known, _)| *known == warning) {
                Some((_, by)) if by.last() == Some(&manifest.task) => {}
                Some((_, by)) => by.push(manifest.task),
                None => said.push((warning, vec![manifest.task])),
            }
        }
    }
    said.into_iter()
        .map(|(warning, by)| format!("{}: {warning}", tasks(&by)))
        .collect()
}

fn saturation(manifests: &[Manifest]) -> Vec<String> {
    let advice = [
        (
            Saturation::Cpu,
            "short of CPU",
            "use more tasks or generators, more CPU a task, or a lower rate",
        ),
        (
            Saturation::Throttled,
            "throttled by its CPU quota",
            "give each task more CPU, or use more tasks",
        ),
        (
            Saturation::Withheld,
            "given less CPU than its limit",
            "run it on a machine that is not overcommitted and that nothing else uses",
        ),
        (
            Saturation::Exhausted,
            "out of open files or local ports",
            "raise ulimit -n, keep connections alive, or use more tasks",
        ),
        (
            Saturation::Starved,
            "waiting for its CPU",
            "use more tasks, more CPU a task, or a lower rate",
        ),
        (
            Saturation::Unjudged,
            "without a known limit of CPU",
            "let the task reach its metadata (ECS_CONTAINER_METADATA_URI_V4), or say what it has in FLOODGATE_TASK_CPU",
        ),
    ];
    let of = |which| -> Vec<&Manifest> {
        manifests
            .iter()
            .filter(|m| Saturation::of(&m.health).contains(&which))
            .collect()
    };
    advice
        .into_iter()
        .map(|(which, what, remedy)| (of(which), what, remedy))
        .filter(|(hit, ..)| !hit.is_empty())
        .map(|(hit, what, remedy)| {
            let list: Vec<_> = hit.iter().map(|m| m.task).collect();
            let worst = hit.iter().map(|m| m.health.cpu_max).fold(0.0, f64::max);
            format!(
                "generator {what} ({}, CPU up to {}); {remedy}",
                tasks(&list),
                percent(worst)
            )
        })
        .collect()
}

/// A generator whose busiest second is below this share of its CPU is not short of it.
const IDLE_CPU: f64 = 0.5;

/// Starts that found a VU ready and were late all the same: the generator's own doing, whatever its CPU use says.
fn lag(manifests: &[Manifest]) -> Option<String> {
    let late =
        |m: &&Manifest| m.health.lag_p99_us > LAG_LIMIT_US && Saturation::of(&m.health).is_empty();
    let list: Vec<_> = manifests.iter().filter(late).map(|m| m.task).collect();
    let late: Vec<_> = manifests.iter().filter(late).collect();
    let worst = late.iter().map(|m| m.health.lag_p99_us).max()?;
    let cpu = late.iter().map(|m| m.health.cpu_max).fold(0.0, f64::max);
    // More CPU is not a remedy for a generator that leaves idle what it has.
    let remedy = if cpu < IDLE_CPU {
        "its CPU was idle, so something else held it up: look for a paused or overcommitted machine"
    } else {
        "use more generators with fewer VUs each, or give them more CPU"
    };
    Some(format!(
        "iterations started late although a VU was ready (p99 {} ms; {}; CPU up to {}), which the response times include; \
         {remedy}",
        worst / 1_000,
        tasks(&list),
        percent(cpu)
    ))
}

/// A CPU that was waited for: by a generator that is not known to have had enough, whatever its quota, or by somebody else.
fn contention(manifests: &[Manifest]) -> Option<String> {
    let unclear = |m: &&Manifest| {
        let health = &m.health;
        // Lag tells it where there is a figure of it: of the native engine.
        let measured = health.lag_max_us > 0;
        !measured && is_contended(health) && Saturation::of(health).is_empty()
    };
    let list: Vec<_> = manifests.iter().filter(unclear).map(|m| m.task).collect();
    let worst = manifests.iter().filter(unclear);
    let (seconds, of) = worst
        .map(|m| {
            (
                m.health.contended_seconds.unwrap_or(0),
                m.health.measured_seconds,
            )
        })
        .max()?;
    Some(format!(
        "tasks waited for a CPU in {seconds} of {of} seconds ({}), although CPU use left room: the machine may have given the generator less \
         than it was to have, so it can't be told whether the generator was saturated; use a larger task, or a machine that nothing else uses",
        tasks(&list)
    ))
}

/// Time that a hypervisor gave to others.
fn steal(manifests: &[Manifest]) -> Option<String> {
    let robbed = |m: &&Manifest| is_often(m.health.stolen_seconds, &m.health);
    let list: Vec<_> = manifests.iter().filter(robbed).map(|m| m.task).collect();
    let seconds = manifests
        .iter()
        .filter(robbed)
        .map(|m| m.health.stolen_seconds)
        .max()?;
    Some(format!(
        "the hypervisor took more than a tenth of the CPU that was wanted in up to {} ({}), which counts as used; run the generator \
         on a machine that is not overcommitted",
        count(seconds, "second"),
        tasks(&list)
    ))
}

/// Standstills that are too short a part of the run to decide.
fn standstill(manifests: &[Manifest]) -> Option<String> {
    let short = |m: &&Manifest| {
        m.health.standstill_max_us >= STANDSTILL_US && !standstill_decides(&m.health)
    };
    let list: Vec<_> = manifests.iter().filter(short).map(|m| m.task).collect();
    let longest = manifests
        .iter()
        .filter(short)
        .map(|m| m.health.standstill_max_us)
        .max()?;
    Some(format!(
        "the generator stood still for {} s ({}): it was stopped, or its machine was paused; the figures of that time are its own",
        number(longest as f64 / 1e6),
        tasks(&list)
    ))
}

fn drops(e: &Evidence<'_>) -> Option<String> {
    let dropped = some(e.applied.dropped_iterations)?;
    let share = dropped as f64 / (dropped + e.applied.iterations) as f64;
    Some(format!(
        "{} dropped ({}), because no VU was free in time; raise maxVUs, or plan a lower rate",
        was(count(dropped, "iteration"), dropped),
        percent(share)
    ))
}

/// What is missing and allowed to be.
fn tolerated(e: &Evidence<'_>) -> Vec<String> {
    let c = e.completeness;
    let ratio = c.missing_ratio();
    if ratio == 0.0 || ratio > e.tolerance {
        return Vec::new();
    }
    let shards = c.shards_expected.saturating_sub(c.shards_merged);
    vec![format!(
        "incomplete within the tolerance of {}: {} lost, {} not merged",
        percent(e.tolerance),
        count(c.tasks_lost.len() as u64, "task"),
        count(shards, "shard")
    )]
}

fn folded_and_clamped(manifests: &[Manifest]) -> Vec<String> {
    let sum = |f: fn(&Manifest) -> u64| some(manifests.iter().map(f).sum());
    let folded = sum(|m| m.totals.folded_samples).map(|n| {
        format!(
            "{} folded into name=__other__, because there were too many series; give requests a fixed name, or \
             raise run.max_series",
            was(count(n, "sample"), n)
        )
    });
    let clamped = sum(|m| m.totals.clamped_values).map(|n| {
        format!(
            "{} above 3600000 (1 h, if it is a time) and recorded as that, which breaches any upper bound from there on; shorten time-outs, or \
             record a trend of your own in a larger unit",
            was(count(n, "value"), n)
        )
    });
    folded.into_iter().chain(clamped).collect()
}

fn skew(manifests: &[Manifest]) -> Option<String> {
    let started = || manifests.iter().filter(|m| !m.script.idle);
    let starts = || started().map(|m| m.start_skew_us);
    let skew = starts().max()? - starts().min()?;
    (skew > SKEW_LIMIT_US).then(|| {
        // A store without a clock of its own is this machine's: there is no second clock.
        let remedy = if manifests.iter().any(|m| m.health.clock_offset_us.is_some()) {
            "check the clocks of the generators"
        } else {
            "they wait for one another's CPU: run fewer generators on this machine"
        };
        let apart = skew / 1_000;
        format!("tasks started {apart} ms apart, so ramps overlap by as much; {remedy}")
    })
}

fn some(n: u64) -> Option<u64> {
    (n > 0).then_some(n)
}

fn was(what: String, n: u64) -> String {
    format!("{what} {}", if n == 1 { "was" } else { "were" })
}
