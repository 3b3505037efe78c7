//! Injection profiles as executors of ours, for the planned load.
//!
//! Open profiles become arrival rates in stages, closed ones VUs in stages. That is exact for constant rates, and for the others
//! what Gatling aims at: its own rounding to whole users a second is its own, and a stress peak is drawn as two ramps.

use super::assertion::class;
use floodgate_core::definition::model::{Executor, Stage};
use serde_json::Value;
use std::time::Duration;

/// Rates are whole numbers each minute of iterations: Gatling's are fractional a second.
const UNIT: Duration = Duration::from_secs(60);
const PER_UNIT: f64 = 60.0;
/// No rate or number of users is meant to be higher; a cast must not overflow.
const MOST: f64 = 1e8;

/// An executor, and how many users it starts in all where that is known. `None` if a step is of a kind that this build does not know.
pub(super) fn executor(profile: &str, steps: &Value) -> Option<(Executor, Option<u64>)> {
    let steps = steps.as_array()?.iter().map(|step| class(step));
    let steps: Vec<(&str, &[Value])> = steps.collect::<Option<_>>()?;
    match profile {
        "OpenInjectionProfile" => {
            let mut line = Line::default();
            let mut at_once = 0;
            for (name, values) in &steps {
                at_once += line.open(name, values)?;
            }
            Some(line.arrivals(at_once))
        }
        "ClosedInjectionProfile" => {
            let mut line = Line::default();
            for (name, values) in &steps {
                line.closed(name, values)?;
            }
            Some((
                Executor::RampingVus {
                    start_vus: 0,
                    stages: line.stages(1.0),
                    graceful_ramp_down: Duration::ZERO,
                },
                None,
            ))
        }
        _ => None,
    }
}

/// A piecewise linear course: how long, and the value at the end; a time of zero is a jump.
#[derive(Default)]
struct Line {
    pieces: Vec<(Duration, f64)>,
    users: f64,
}

impl Line {
    fn level(&mut self, value: f64, duration: Duration) {
        self.ramp(value, value, duration);
    }

    fn ramp(&mut self, from: f64, to: f64, duration: Duration) {
        if self.pieces.last().map_or(0.0, |last| last.1) != from {
            self.pieces.push((Duration::ZERO, from));
        }
        self.pieces.push((duration, to));
        self.users += (from + to) / 2.0 * duration.as_secs_f64();
    }

    /// Adds a step, and gives back the users that it starts at once.
    fn open(&mut self, name: &str, values: &[Value]) -> Option<u64> {
        let number = |i: usize| values.get(i)?.as_f64().map(|v| v.clamp(0.0, MOST));
        let time = |i: usize| Some(Duration::from_millis(values.get(i)?.as_u64()?));
        let per_s = |users: f64, duration: Duration| users / duration.as_secs_f64();
        match name {
            "AtOnceOpenInjection" => return Some(number(0)? as u64),
            "RampOpenInjection" | "HeavisideOpenInjection" if time(1)?.is_zero() => {
                return Some(number(0)? as u64);
            }
            "NothingForOpenInjection" => self.level(0.0, time(0)?),
            "RampOpenInjection" => self.level(per_s(number(0)?, time(1)?), time(1)?),
            "ConstantRateOpenInjection" => self.level(number(0)?, time(1)?),
            "RampRateOpenInjection" => self.ramp(number(0)?, number(1)?, time(2)?),
            "PoissonOpenInjection" => self.ramp(number(1)?, number(2)?, time(0)?),
            "HeavisideOpenInjection" => {
                let (half, top) = (time(1)? / 2, 2.0 * per_s(number(0)?, time(1)?));
                self.ramp(0.0, top, half);
                self.ramp(top, 0.0, half);
            }
            "StairsUsersPerSecCompositeStep" => self.stairs(values)?,
            _ => return None,
        }
        Some(0)
    }

    fn closed(&mut self, name: &str, values: &[Value]) -> Option<()> {
        let number = |i: usize| values.get(i)?.as_f64().map(|v| v.clamp(0.0, MOST));
        let time = |i: usize| Some(Duration::from_millis(values.get(i)?.as_u64()?));
        match name {
            "ConstantConcurrentUsersInjection" => self.level(number(0)?, time(1)?),
            "RampConcurrentUsersInjection" => self.ramp(number(0)?, number(1)?, time(2)?),
            "StairsConcurrentUsersCompositeStep" => self.stairs(values)?,
            _ => return None,
        }
        Some(())
    }

    /// Levels that rise, with ramps between them if they are to have any: (increment, levels, level's time, start, ramp's time).
    fn stairs(&mut self, values: &[Value]) -> Option<()> {
        let [increment, levels, level, start, ramp] = values else {
            return None;
        };
        let (increment, start) = (increment.as_f64()?, start.as_f64()?);
        let level = Duration::from_millis(level.as_u64()?);
        let ramp = Duration::from_millis(ramp.as_u64()?);
        // Without a start, and with ramps, the first ramp rises to the first level.
        let first = if start == 0.0 && !ramp.is_zero() {
            increment
        } else {
            start
        };
        for step in 0..levels.as_u64()?.min(10_000) {
            let value = (first + step as f64 * increment).clamp(0.0, MOST);
            if !ramp.is_zero() && (step > 0 || start == 0.0) {
                let before = (value - increment).clamp(0.0, MOST);
                self.ramp(before, value, ramp);
            }
            self.level(value, level);
        }
        Some(())
    }

    fn stages(&self, scale: f64) -> Vec<Stage> {
        let stage = |&(duration, target): &(Duration, f64)| Stage {
            duration,
            target: (target * scale).round() as u64,
        };
        self.pieces.iter().map(stage).collect()
    }

    fn arrivals(self, at_once: u64) -> (Executor, Option<u64>) {
        let users = at_once + self.users.round() as u64;
        if self.pieces.is_empty() {
            let executor = Executor::PerVuIterations {
                vus: at_once,
                iterations: 1,
                max_duration: Duration::ZERO,
            };
            return (executor, Some(users));
        }
        let executor = Executor::RampingArrivalRate {
            start_rate: 0,
            time_unit: UNIT,
            stages: self.stages(PER_UNIT),
            pre_allocated_vus: 0,
            // Gatling has no bound on users at a time: as many as ever start, should none end.
            max_vus: users.clamp(1, MOST as u64),
            max_lateness: Duration::ZERO,
        };
        (executor, Some(users))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    fn stage(seconds: u64, target: u64) -> Stage {
        Stage {
            duration: Duration::from_secs(seconds),
            target,
        }
    }

    fn open(steps: &Value) -> (Vec<Stage>, u64) {
        match executor("OpenInjectionProfile", steps).unwrap() {
            (Executor::RampingArrivalRate { stages, .. }, users) => (stages, users.unwrap()),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn rates_are_stages_and_users_add_up() {
        let steps = json!([
            ["RampOpenInjection", 60, 30_000],
            ["ConstantRateOpenInjection", 2.5, 10_000],
            ["NothingForOpenInjection", 5_000],
            ["AtOnceOpenInjection", 9],
            ["RampRateOpenInjection", 0.0, 4.0, 10_000],
        ]);
        let (stages, users) = open(&steps);
        assert_eq!(
            stages,
            [
                stage(0, 120),
                stage(30, 120),
                stage(0, 150),
                stage(10, 150),
                stage(0, 0),
                stage(5, 0),
                stage(10, 240)
            ]
        );
        assert_eq!(users, 60 + 25 + 9 + 20);
    }

    #[test]
    fn peaks_and_stairs_keep_their_users() {
        let (_, users) = open(&json!([["HeavisideOpenInjection", 500, 10_000]]));
        assert_eq!(users, 500);
        // Levels of 5, 10, 15 a second for 10 s; and the same after ramps of 2 s from 0, 5 and 10.
        let (_, users) = open(&json!([[
            "StairsUsersPerSecCompositeStep",
            5.0,
            3,
            10_000,
            5.0,
            0
        ]]));
        assert_eq!(users, 300);
        let (_, users) = open(&json!([[
            "StairsUsersPerSecCompositeStep",
            5.0,
            3,
            10_000,
            0.0,
            2_000
        ]]));
        assert_eq!(users, 300 + 5 + 15 + 25);
    }

    #[test]
    fn closed_profiles_are_users_at_a_time() {
        let steps = json!([
            ["RampConcurrentUsersInjection", 0, 10, 5_000],
            ["ConstantConcurrentUsersInjection", 10, 60_000],
        ]);
        let (executor, users) = executor("ClosedInjectionProfile", &steps).unwrap();
        let Executor::RampingVus {
            stages, start_vus, ..
        } = executor
        else {
            panic!("{executor:?}");
        };
        assert_eq!((start_vus, users), (0, None));
        assert_eq!(stages, [stage(5, 10), stage(60, 10)]);
    }

    #[test]
    fn what_is_not_known_is_not_guessed() {
        assert_eq!(
            executor("OpenInjectionProfile", &json!([["NewStep", 1]])),
            None
        );
        assert_eq!(executor("OtherProfile", &json!([])), None);
    }
}
