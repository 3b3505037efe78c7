//! When the watch looks again: a pure function, since the history of a state machine is finite.

use crate::clock::between;
use floodgate_control::watch::Phase;
use floodgate_core::cost::{END, READY, Watched, longest};
use floodgate_core::definition::model::{Definition, Executor};
use floodgate_records::plan::Plan;
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

/// What of a run's plan and definition says when it will end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Course {
    /// From the start to the last scheduled start; zero if nobody knows.
    pub duration_ms: u64,
    /// From the start to the latest end.
    pub longest_ms: u64,
    /// Whether it may end at any time before, as an executor does that counts its iterations, and as a script does.
    pub any_time: bool,
    /// Whether a threshold may stop it, or a search for the capacity goes on with what it sees.
    pub judged: bool,
}

impl Course {
    /// Of a run.
    pub fn of(plan: &Plan, definition: &Definition) -> Self {
        let counted = |e: &Executor| {
            matches!(
                e,
                Executor::SharedIterations { .. } | Executor::PerVuIterations { .. }
            )
        };
        let scenarios = &definition.scenarios;
        let load = &plan.load;
        Self {
            duration_ms: load.duration_ms,
            longest_ms: u64::try_from(longest(plan, &definition.run).as_millis())
                .unwrap_or(u64::MAX)
                .max(load.duration_ms),
            any_time: scenarios.is_empty() || scenarios.iter().any(|s| counted(&s.executor)),
            // A search for the capacity waits for its next step.
            judged: definition.capacity.is_some()
                || definition.thresholds.iter().any(|t| t.abort_on_fail),
        }
    }
}

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
    /// What the run is.
    pub course: Course,
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
    let left = between(at.now_ms, end(at.course.longest_ms));
    let fair = left / MAX_TURNS.saturating_sub(at.turn).max(1);
    if at.course.any_time {
        return Pace::Stay(POLL);
    }
    let until_end = between(at.now_ms, end(at.course.duration_ms));
    if until_end <= BEFORE_END {
        return Pace::Stay(POLL);
    }
    let longest = if at.course.judged {
        LONGEST_JUDGED
    } else {
        LONGEST
    };
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
    let left = between(
        at.now_ms,
        start_ms.saturating_add_unsigned(at.course.longest_ms),
    );
    (left / MAX_TURNS.saturating_sub(at.turn).max(1)).saturating_sub(stayed)
}

/// What the parts of a turn take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Steps {
    /// An invocation without its looks: to load what the run is.
    pub load: Duration,
    /// A look.
    pub look: Duration,
    /// From the end of a wait to the invocation, and from its end to the next wait: what the state machine takes for itself, unpaid.
    pub between: Duration,
}

impl Steps {
    /// Those of the estimate of a run with so many tasks: assumptions until AWS has been measured.
    pub fn assumed(tasks: u32) -> Self {
        Self {
            load: Duration::from_millis(200),
            // Each task's live object is read and decoded.
            look: Duration::from_millis(100) + Duration::from_millis(2) * tasks,
            between: Duration::from_millis(200),
        }
    }
}

/// How long the parts of a run take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Phases {
    /// From the first turn to the common start.
    pub ready: Duration,
    /// The load.
    pub running: Duration,
    /// From the end of the load to that of the last task.
    pub end: Duration,
}

impl Phases {
    /// Those of the estimate of a run whose load goes on for so long.
    pub fn assumed(running: Duration) -> Self {
        Self {
            ready: READY,
            running,
            end: END,
        }
    }
}

/// What the watch of a run will do: its turns are played through, each invocation staying for `stay` at most.
pub fn expected(course: Course, phases: Phases, steps: Steps, stay: Duration) -> Watched {
    let start_ms = millis(phases.ready);
    let stop_ms = start_ms + millis(phases.running);
    let end_ms = stop_ms + millis(phases.end);
    play(course, [start_ms, stop_ms, end_ms], steps, stay).0
}

/// Plays the turns through from 0 to the look that finds the run ended, with the moments of its start, of the load's end and of its own
/// end in ms. Returns what was done, and when the end was seen.
fn play(
    course: Course,
    [start_ms, stop_ms, end_ms]: [i64; 3],
    steps: Steps,
    stay: Duration,
) -> (Watched, i64) {
    let Steps {
        load,
        look,
        between,
    } = steps;
    let (mut now_ms, mut watched) = (0, Watched::default());
    loop {
        watched.turns += 1;
        let mut stayed = load;
        now_ms += millis(load);
        let wait = loop {
            watched.looks += 1;
            stayed += look;
            now_ms += millis(look);
            if now_ms >= end_ms {
                watched.time += stayed;
                return (watched, now_ms);
            }
            let phase = match now_ms {
                early if early < start_ms => Phase::Waiting,
                late if late >= stop_ms => Phase::Stopping,
                _ => Phase::Running,
            };
            let at = Moment {
                phase,
                now_ms,
                turn: u32::try_from(watched.turns).unwrap_or(u32::MAX),
                start_ms: (now_ms >= start_ms).then_some(start_ms),
                course,
            };
            match pace(&at) {
                Pace::Leave(wait) => break wait,
                Pace::Stay(poll) if stayed + poll <= stay => {
                    stayed += poll;
                    now_ms += millis(poll);
                }
                Pace::Stay(_) => break afterwards(&at, stayed),
            }
        };
        watched.time += stayed;
        now_ms += 1_000 * i64::try_from(whole_seconds(wait)).unwrap_or(i64::MAX) + millis(between);
    }
}

/// What a state machine waits, in seconds.
pub(crate) const fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + (wait.subsec_nanos() > 0) as u64
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use floodgate_control::{PlanOptions, TestPackage, lay_out};
    use floodgate_core::definition::{Overrides, Resolver, Source, parse};
    use floodgate_records::engine::Engine;
    use std::collections::BTreeMap;

    const HOUR_MS: u64 = 3_600_000;
    const STAY: Duration = Duration::from_secs(20);
    /// Looks that take no time.
    const AT_ONCE: Steps = Steps {
        load: Duration::from_millis(200),
        look: Duration::ZERO,
        between: Duration::from_millis(200),
    };

    /// Turns and the delay of the watch after the end, of a run that ends after `ends_ms`.
    fn simulate(duration_ms: u64, ends_ms: u64, any_time: bool, judged: bool) -> (u32, u64) {
        let course = Course {
            duration_ms,
            longest_ms: duration_ms + 30_000,
            any_time,
            judged,
        };
        let end_ms = ends_ms as i64;
        let (watched, seen_ms) = play(course, [0, end_ms, end_ms], AT_ONCE, STAY);
        (watched.turns as u32, (seen_ms - end_ms) as u64)
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

    /// A script's end is waited for by an invocation that stays: it is paid for from the first second to the last.
    #[test]
    fn the_watch_of_what_may_end_at_any_time_is_paid_for_throughout() {
        let course = |any_time| Course {
            duration_ms: HOUR_MS,
            longest_ms: HOUR_MS,
            any_time,
            judged: false,
        };
        let hour = Duration::from_secs(3_600);
        let all = (READY + hour + END).as_secs_f64();
        let script = expected(course(true), Phases::assumed(hour), Steps::assumed(1), STAY);
        let share = script.time.as_secs_f64() / all;
        assert!((0.97..=1.0).contains(&share), "{script:?}");
        assert!((170..=190).contains(&script.turns), "{script:?}");
        let scheduled = expected(
            course(false),
            Phases::assumed(hour),
            Steps::assumed(1),
            STAY,
        );
        assert!(scheduled.time < script.time / 10, "{scheduled:?}");
        // Ready, every ten seconds at least, end.
        assert!((360..=500).contains(&scheduled.turns), "{scheduled:?}");
    }

    /// Neither an environment nor secrets; any file.
    struct Bare;

    impl Resolver for Bare {
        fn env(&self, _: &str) -> Option<String> {
            None
        }

        fn secret(&self, _: &str) -> Result<String, String> {
            Err("none".into())
        }

        fn file_exists(&self, _: &str) -> bool {
            true
        }
    }

    /// What a script will do need not be known: its turns have to last for as long as it may go on.
    #[test]
    fn a_day_of_a_script_without_a_schedule_fits_into_the_history() {
        // Whichever engine: of its script no schedule is known.
        let engine = Engine::WORDS.last().expect("an engine that runs scripts");
        let text = format!(
            "version: 1\nproject: shop\ntest: old\nengine: {engine}\nscript: old.x\nrun: {{max_duration: 24h}}\n"
        );
        let (source, set) = (
            Source {
                name: "test.yaml",
                text: text.as_bytes(),
            },
            Overrides::default(),
        );
        let definition = parse(&source, &set, &Bare)
            .expect("a definition")
            .definition;
        let package = TestPackage {
            definition: &definition,
            target: None,
            normalised: Bytes::new(),
            version: String::new(),
            files: Vec::new(),
            inspection: None,
            parameters: BTreeMap::new(),
            warnings: Vec::new(),
        };
        let plan = lay_out("01J", &package, &PlanOptions::local(1, None), 0).expect("a plan");
        let course = Course::of(&plan, &definition);
        assert_eq!((course.longest_ms, course.any_time), (24 * HOUR_MS, true));
        let end_ms = course.longest_ms as i64;
        let (watched, _) = play(course, [0, end_ms, end_ms], AT_ONCE, STAY);
        let events = watched.turns * u64::from(EVENTS_A_TURN);
        assert!(events < 20_000, "{watched:?}, {events} events");
    }

    #[test]
    fn the_watch_has_the_memory_that_is_charged_for() {
        let module = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../terraform/modules/functions/main.tf"
        );
        let module = std::fs::read_to_string(module).expect("the module is in the repository");
        let memory = format!(
            "watch   = {{ memory_mb = {},",
            floodgate_core::cost::WATCH_MB
        );
        assert!(module.contains(&memory), "{memory}");
    }
}
