//! When the watch looks again: a pure function, since the history of a state machine is finite.

use crate::clock::between;
use floodgate_control::watch::Phase;
use std::time::Duration;

/// Events of a turn in the history of a Standard state machine: state entered and exited for Wait, Watch and Choice, and
/// scheduled, started and succeeded for the task
/// (<https://docs.aws.amazon.com/step-functions/latest/dg/concepts-view-execution-details.html>).
pub const EVENTS_A_TURN: u32 = 9;
/// Turns by which a run of any length has come to its planned end. Of the 25,000 events of a history
/// (<https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html>) 18,000 are for these; the rest is for
/// launching, stopping, merging, reaping and retries.
pub const MAX_TURNS: u32 = 2_000;
/// Between two looks inside one invocation.
const POLL: Duration = Duration::from_millis(500);
/// How long before the planned end the watch stays.
const BEFORE_END: Duration = Duration::from_secs(2);
/// The shortest and the longest wait of a run that is short enough to be watched closely.
const SHORTEST: Duration = Duration::from_secs(2);
const LONGEST: Duration = Duration::from_secs(10);
/// The longest where a threshold may stop the run.
const LONGEST_JUDGED: Duration = Duration::from_secs(5);

/// Where a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Its phase.
    pub phase: Phase,
    /// Unix ms.
    pub now_ms: i64,
    /// Turns so far.
    pub turn: u32,
    /// The common start, Unix ms.
    pub start_ms: Option<i64>,
    /// From the start to the last scheduled start; zero if nobody knows.
    pub duration_ms: u64,
    /// From the start to the latest end.
    pub longest_ms: u64,
    /// Whether it may end at any time before, as an executor does that counts its iterations.
    pub any_time: bool,
    /// Whether a threshold may stop it.
    pub judged: bool,
}

/// When to look again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// Soon: stay, as long as the invocation may.
    Stay(Duration),
    /// Later: leave, and be called again.
    Leave(Duration),
}

/// When to look again after a step.
pub fn pace(at: &Moment) -> Pace {
    let Some(start_ms) = at.start_ms.filter(|_| at.phase == Phase::Running) else {
        // Tasks become ready or write their last: seconds count, and it does not last.
        return Pace::Stay(POLL);
    };
    let end = |after_ms: u64| start_ms.saturating_add_unsigned(after_ms);
    let left = between(at.now_ms, end(at.longest_ms));
    let fair = left / MAX_TURNS.saturating_sub(at.turn).max(1);
    if at.any_time {
        return Pace::Stay(POLL);
    }
    let until_end = between(at.now_ms, end(at.duration_ms));
    if until_end <= BEFORE_END {
        return Pace::Stay(POLL);
    }
    let longest = if at.judged { LONGEST_JUDGED } else { LONGEST };
    let elapsed = between(start_ms, at.now_ms);
    let wanted = (elapsed / 20).clamp(SHORTEST, longest).max(fair);
    Pace::Leave(
        wanted
            .min(until_end.saturating_sub(BEFORE_END))
            .max(Duration::from_secs(1)),
    )
}

/// How long to stay away once an invocation has been used up that could have stayed: nothing while turns last.
pub(crate) fn afterwards(at: &Moment, stayed: Duration) -> Duration {
    let Some(start_ms) = at.start_ms.filter(|_| at.phase == Phase::Running) else {
        return Duration::ZERO;
    };
    let left = between(at.now_ms, start_ms.saturating_add_unsigned(at.longest_ms));
    (left / MAX_TURNS.saturating_sub(at.turn).max(1)).saturating_sub(stayed)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR_MS: u64 = 3_600_000;
    const STAY: Duration = Duration::from_secs(20);

    /// Turns and the delay of the watch after the end, of a run that ends after `ends_ms`.
    fn simulate(duration_ms: u64, ends_ms: u64, any_time: bool, judged: bool) -> (u32, u64) {
        let (mut now_ms, mut turn) = (0i64, 0u32);
        loop {
            turn += 1;
            let mut stayed = Duration::ZERO;
            let wait = loop {
                if now_ms >= ends_ms as i64 {
                    return (turn, now_ms as u64 - ends_ms);
                }
                let at = Moment {
                    phase: Phase::Running,
                    now_ms,
                    turn,
                    start_ms: Some(0),
                    duration_ms,
                    longest_ms: duration_ms + 30_000,
                    any_time,
                    judged,
                };
                match pace(&at) {
                    Pace::Leave(wait) => break wait,
                    Pace::Stay(poll) if stayed + poll <= STAY => {
                        stayed += poll;
                        now_ms += poll.as_millis() as i64;
                    }
                    Pace::Stay(_) => break afterwards(&at, stayed),
                }
            };
            // A state machine waits whole seconds, and takes its time between states.
            now_ms += 1_000 * wait.as_secs_f64().ceil() as i64 + 200;
        }
    }

    #[test]
    fn a_day_fits_into_the_history() {
        for (hours, any_time, judged) in [
            (24, false, false),
            (24, false, true),
            (24, true, false),
            (8, false, true),
            (8, true, true),
            (72, true, true),
        ] {
            let duration = hours * HOUR_MS;
            let (turns, late_ms) = simulate(duration, duration + 20_000, any_time, judged);
            let events = turns * EVENTS_A_TURN;
            assert!(events < 20_000, "{hours} h: {turns} turns, {events} events");
            assert!(any_time || late_ms <= 1_000, "{hours} h: {late_ms} ms late");
        }
    }

    #[test]
    fn an_end_that_was_planned_is_seen_within_a_second() {
        for seconds in [1, 5, 10, 60, 61, 300, 3_600] {
            for late in [0, 700, 29_000] {
                let (_, delay) = simulate(seconds * 1_000, seconds * 1_000 + late, false, false);
                assert!(delay <= 1_000, "{seconds} s: {delay} ms");
            }
        }
    }

    #[test]
    fn an_end_at_any_time_is_seen_soon_in_a_run_of_ordinary_length() {
        for ends_s in [3, 100, 1_111, 3_000] {
            let (_, delay) = simulate(HOUR_MS, ends_s * 1_000, true, false);
            assert!(delay <= 1_000, "{ends_s} s: {delay} ms");
        }
    }

    #[test]
    fn who_may_be_stopped_by_a_threshold_is_looked_at_more_often() {
        let (often, _) = simulate(HOUR_MS, HOUR_MS, false, true);
        let (seldom, _) = simulate(HOUR_MS, HOUR_MS, false, false);
        assert!(often > seldom, "{often} {seldom}");
    }
}
