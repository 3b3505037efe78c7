//! When a generator was short of what it needs.
//!
//! # When a generator is saturated
//! Then its own queueing is in the figures, and they say nothing of the target. One task suffices, since its samples are
//! merged with all others:
//! * its CPU use stood above the limit in more than [`SATURATED_SHARE`] of its seconds, two at least: one
//!   second of connection set-up or of catching up after a stall is not saturation;
//! * the cgroup throttled it in more than that share, and p99 of its lag is above [`LAG_LIMIT_US`]: throttling
//!   matters when starts are late for it;
//! * it ran out of open files or local ports, even once: such errors look like the target's.
//!
//! CPU use says nothing of a task in the cloud that does not know its limit. Then pressure on its run queue is looked at, which is its own:
//! waiting for a CPU in more than that share of its seconds is saturation, and where there is no such figure, the run cannot be judged.
//! On a shared machine without a quota such pressure may be anybody's, and is a warning.
//!
//! A quota is a promise that the machine may not keep. Who started late, p99 of its lag above a tenth of a second, while it waited for a CPU
//! or a hypervisor took it in more than that share of its seconds, was short of CPU however little it used; with less lag, or in
//! less than ten seconds, that is a warning. Where there is no lag to tell (external engines, closed loops), waiting below a quota is a warning that says so.
//!
//! The lag meant here is that of starts that found a VU ready. What waits for a VU of a slow target is late by the
//! target's doing, belongs into the response time, and is not in it. Such lag points at the generator, but alone is only a
//! warning: a moment of a busy machine is in it too, and the response times count it.

use super::Evidence;
use super::words::{number, tasks};
use floodgate_records::manifest::{Health, LimitSource, Manifest};

/// The share of its seconds in which a generator may be short of CPU, and of its time that it may have stood still at once.
pub const SATURATED_SHARE: f64 = 0.1;

/// CPU use past this share of what a generator may use counts a second as saturated: what is left cannot absorb a burst of one batch
/// of events.
pub const SATURATED_CPU: f64 = 0.9;

/// p99 of the lag of starts that found a VU ready, up to which a generator is on time, in µs. Ten times the resolution
/// of an ordinary timer, and small beside what a user notices.
pub const LAG_LIMIT_US: u64 = 10_000;

/// p99 of the lag of a generator that was given less CPU than its limit, up to which it is a warning, in µs. On a machine that does
/// other things too, a task is seldom as prompt as alone; a tenth of a second is what its user would notice.
const WITHHELD_LAG_US: u64 = 100_000;

/// Seconds below which a generator that was given less CPU than its limit is only late: one moment of a busy machine is a large
/// part of so short a run. In s.
const WITHHELD_S: u64 = 10;

/// A standstill below it says nothing: a busy machine has such moments, and they are in the lag. In µs.
pub const STANDSTILL_US: u64 = 1_000_000;

/// In what way a generator was saturated (see the module's documentation).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Saturation {
    /// Short of CPU.
    Cpu,
    /// Held back by its cgroup's quota.
    Throttled,
    /// Out of open files or local ports.
    Exhausted,
    /// Late for want of a CPU that its quota had promised: neighbours or a hypervisor had it.
    Withheld,
    /// Waiting for a CPU that nobody else wants, under a limit that is not known.
    Starved,
    /// Nothing tells whether it was: neither a limit is known nor the pressure on its run queue.
    Unjudged,
}

impl Saturation {
    /// The ways in which a generator was saturated.
    pub fn of(health: &Health) -> Vec<Self> {
        let often = |seconds| is_often(seconds, health);
        let late = health.lag_p99_us > LAG_LIMIT_US;
        let quota = health.limits.cpus_from.is_some_and(LimitSource::is_quota);
        let unlimited = health.blind && health.measured_seconds > 0 && !quota;
        let used_up = often(health.saturated_seconds);
        let throttled = often(health.throttled_seconds) && late;
        let withheld = is_contended(health) || often(health.stolen_seconds);
        let tells = health.measured_seconds >= WITHHELD_S && health.lag_p99_us > WITHHELD_LAG_US;
        let found = [
            (used_up, Self::Cpu),
            (throttled, Self::Throttled),
            (
                quota && withheld && tells && !used_up && !throttled,
                Self::Withheld,
            ),
            (health.exhausted > 0, Self::Exhausted),
            (unlimited && is_contended(health), Self::Starved),
            (
                unlimited && health.contended_seconds.is_none(),
                Self::Unjudged,
            ),
        ];
        found
            .into_iter()
            .filter_map(|(holds, which)| holds.then_some(which))
            .collect()
    }
}

/// Whether so many of a generator's seconds are too many.
pub(super) fn is_often(seconds: u64, health: &Health) -> bool {
    seconds >= 2 && seconds as f64 > SATURATED_SHARE * health.measured_seconds as f64
}

/// Whether something waited for a CPU in too many of a generator's seconds.
pub(super) fn is_contended(health: &Health) -> bool {
    is_often(health.contended_seconds.unwrap_or(0), health)
}

pub(super) fn saturated(e: &Evidence<'_>) -> Vec<String> {
    let of = |which| -> Vec<_> {
        e.manifests
            .iter()
            .filter(|m| Saturation::of(&m.health).contains(&which))
            .map(|m| m.task)
            .collect()
    };
    let cases = [
        (
            Saturation::Cpu,
            "had no CPU left, so the figures show the generator, not the target",
        ),
        (
            Saturation::Throttled,
            "was throttled by its CPU quota, so the figures show the generator, not the target",
        ),
        (
            Saturation::Withheld,
            "was given less CPU than its limit and started late, so the figures show the generator, not the target",
        ),
        (
            Saturation::Exhausted,
            "ran out of open files or ports, so the figures show the generator, not the target",
        ),
        (
            Saturation::Starved,
            "waited for its CPU, so the figures show the generator, not the target",
        ),
        (
            Saturation::Unjudged,
            "may have had no CPU left: neither its limit nor the pressure on its CPUs is known",
        ),
    ];
    let lines = cases
        .into_iter()
        // The steps of a search for the capacity are judged by the CPU use in them; beyond the capacity anything may happen.
        .filter(|(which, _)| e.capacity.is_none() || *which != Saturation::Cpu)
        .map(|(which, what)| (of(which), what))
        .filter(|(tasks, _)| !tasks.is_empty());
    lines
        .map(|(list, what)| format!("the generator {what}: {}", tasks(&list)))
        .collect()
}

/// Generators that were stopped for a while, such as by a paused machine: nothing was sent meanwhile, and what was under way is
/// measured as slow.
pub(super) fn stood_still(e: &Evidence<'_>) -> Option<String> {
    let stopped: Vec<&Manifest> = e
        .manifests
        .iter()
        .filter(|m| standstill_decides(&m.health))
        .collect();
    let longest = stopped.iter().map(|m| m.health.standstill_max_us).max()?;
    let list: Vec<_> = stopped.iter().map(|m| m.task).collect();
    Some(format!(
        "the generator stood still for {} s, so the figures show the generator, not the target: {}",
        number(longest as f64 / 1e6),
        tasks(&list)
    ))
}

/// Whether a standstill is too long a part of the run for its figures.
pub(super) fn standstill_decides(health: &Health) -> bool {
    let longest_s = health.standstill_max_us as f64 / 1e6;
    health.standstill_max_us >= STANDSTILL_US
        && longest_s > SATURATED_SHARE * health.measured_seconds as f64
}
