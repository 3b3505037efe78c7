//! Schedules of a folder: what starts by the clock, and what became of it. In AWS they stand in Terraform and EventBridge starts them.

use crate::audit::{Who, note};
use crate::elsewhere::check_variables;
use crate::error::{ControlError, Result};
use crate::json;
pub use crate::startable::{never_starts, newest_version};
use crate::stores::Stores;
use floodgate_calendar::{Blackouts, CalendarError, Timetable};
use floodgate_records::audit::Action;
use floodgate_records::keys::{SCHEDULES, schedule_key, schedule_state_key};
use floodgate_records::schedule::{Schedule, ScheduleState, ScheduledStart};
use floodgate_store::check_name;

/// Processes that share the load of a run on one machine, at most.
pub const MAX_GENERATORS: u32 = 256;

/// Starts whose end is remembered.
const REMEMBERED: usize = 20;
/// Characters of a name at most, as in EventBridge Scheduler.
const LONGEST_NAME: usize = 64;

/// A schedule's times, as read.
pub struct Times {
    /// When it is due.
    pub table: Timetable,
    /// When nothing starts.
    pub blackouts: Blackouts,
}

/// Times that are looked at to find those that lie in no window.
const LOOKED_AT: usize = 10_000;

impl Times {
    /// The next times after one that lie in no window, Unix ms; as many as that at most.
    ///
    /// # Errors
    /// Why there are none: a sentence.
    pub fn next(&self, after_ms: i64, most: usize) -> std::result::Result<Vec<i64>, String> {
        let (mut next, mut at_ms, mut window) = (Vec::new(), after_ms, None);
        for _ in 0..LOOKED_AT {
            let Some(due_ms) = self.table.next_after(at_ms) else {
                break;
            };
            at_ms = due_ms;
            match self.blackouts.at(due_ms) {
                Some(of) => window = Some(of),
                None => next.push(due_ms),
            }
            if next.len() == most {
                break;
            }
        }
        match window {
            _ if !next.is_empty() => Ok(next),
            Some(window) => Err(format!(
                "its next times lie in windows in which nothing starts, such as {window}"
            )),
            None => Err("its expression has no time any more; write another one".into()),
        }
    }
}

/// Reads a schedule's expression, time zone and windows.
///
/// # Errors
/// [`ControlError::Schedule`] for what is none.
pub fn times(schedule: &Schedule) -> Result<Times> {
    let zone = schedule.timezone.as_str();
    let read = || -> std::result::Result<Times, CalendarError> {
        Ok(Times {
            table: Timetable::new(&schedule.expression, zone, schedule.created_ms)?,
            blackouts: Blackouts::new(&schedule.blackouts, zone)?,
        })
    };
    read().map_err(|error| wrong(&schedule.name, error))
}

pub(crate) fn wrong(name: &str, problem: impl ToString) -> ControlError {
    ControlError::Schedule {
        name: name.to_owned(),
        problem: problem.to_string(),
    }
}

/// Whether a schedule can be kept: its name, its times, and that it says what is run.
///
/// # Errors
/// [`ControlError::Schedule`].
pub fn check(schedule: &Schedule) -> Result<Times> {
    let name = schedule.name.as_str();
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    let fits = (1..=LONGEST_NAME).contains(&name.len());
    if !fits || !name.chars().all(plain) || name.starts_with('.') {
        let told = "take 1 to 64 letters, digits, hyphens, underscores and dots, not a dot first";
        return Err(wrong(name, format!("it is not a valid name; {told}")));
    }
    if schedule.test.trim().is_empty() {
        return Err(wrong(name, "it names no test; say which one is run"));
    }
    check_name(&schedule.test).map_err(|error| wrong(name, format!("test: {error}")))?;
    let is_digest = |v: &&String| v.len() == 64 && v.bytes().all(|b| b.is_ascii_hexdigit());
    if let Some(version) = schedule.version.as_ref().filter(|v| !is_digest(v)) {
        let told = "give the 64 hex digits of one that the test has run in, or none for that of its newest run";
        return Err(wrong(name, format!("{version:?} is not a version; {told}")));
    }
    check_variables(&schedule.environment).map_err(|why| wrong(name, why))?;
    if !(1..=MAX_GENERATORS).contains(&schedule.generators) {
        let n = schedule.generators;
        return Err(wrong(
            name,
            format!("{n} generators; from 1 to {MAX_GENERATORS} are possible"),
        ));
    }
    let times = times(schedule)?;
    if !schedule.paused && times.table.next_after(schedule.changed_ms).is_none() {
        let told = format!(
            "{} has no time from now on; write one that lies ahead",
            schedule.expression
        );
        return Err(wrong(name, told));
    }
    Ok(times)
}

/// All schedules, of one project if it is given, by project and name.
///
/// # Errors
/// What the store refuses, and a schedule that cannot be read.
pub async fn load_schedules(stores: &Stores, project: Option<&str>) -> Result<Vec<Schedule>> {
    let objects = stores.objects.as_ref();
    let prefix = match project {
        Some(project) => format!("{SCHEDULES}{project}/"),
        None => SCHEDULES.to_owned(),
    };
    let mut found = Vec::new();
    for object in objects.list(&prefix).await? {
        if object.key.ends_with("/schedule.json")
            && let Some(schedule) = json::get(objects, &object.key).await?
        {
            found.push(schedule);
        }
    }
    Ok(found)
}

/// A schedule; `None` if there is none.
///
/// # Errors
/// As for [`load_schedules`].
pub async fn load_schedule(stores: &Stores, project: &str, name: &str) -> Result<Option<Schedule>> {
    Ok(json::get(stores.objects.as_ref(), &schedule_key(project, name)).await?)
}

/// What became of a schedule's starts.
///
/// # Errors
/// As for [`load_schedules`].
pub async fn load_state(stores: &Stores, project: &str, name: &str) -> Result<ScheduleState> {
    let key = schedule_state_key(project, name);
    let found = json::get(stores.objects.as_ref(), &key).await?;
    Ok(found.unwrap_or_default())
}

/// Writes what became of a schedule's starts.
///
/// # Errors
/// What the store refuses.
pub async fn save_state(stores: &Stores, schedule: &Schedule, state: &ScheduleState) -> Result<()> {
    let key = schedule_state_key(&schedule.project, &schedule.name);
    let bytes = json::bytes(&key, state)?;
    Ok(stores.objects.put(&key, bytes).await?)
}

/// Writes a schedule in place of one of the same name, and notes it in the audit trail.
///
/// # Errors
/// As for [`check`]; what the store refuses.
pub async fn save_schedule(
    stores: &Stores,
    schedule: &Schedule,
    by: impl Into<Who<'_>>,
) -> Result<()> {
    check(schedule)?;
    let key = schedule_key(&schedule.project, &schedule.name);
    let bytes = json::bytes(&key, schedule)?;
    stores.objects.put(&key, bytes).await?;
    let paused = if schedule.paused { ", paused" } else { "" };
    let outcome = format!(
        "{}: {} {} runs {}{paused}",
        schedule.name, schedule.expression, schedule.timezone, schedule.test
    );
    let (project, at_ms) = (schedule.project.as_str(), schedule.changed_ms);
    note(stores, project, by, Action::SetSchedule, &outcome, at_ms).await
}

/// Removes a schedule with what became of its starts; `false`: there is none.
///
/// # Errors
/// What the store refuses.
pub async fn remove_schedule(
    stores: &Stores,
    project: &str,
    name: &str,
    by: impl Into<Who<'_>>,
    now_ms: i64,
) -> Result<bool> {
    let objects = stores.objects.as_ref();
    let key = schedule_key(project, name);
    if objects.get(&key).await?.is_none() {
        return Ok(false);
    }
    objects.delete(&key).await?;
    objects.delete(&schedule_state_key(project, name)).await?;
    note(stores, project, by, Action::RemoveSchedule, name, now_ms).await?;
    Ok(true)
}

/// Notes in the audit trail that a start was left out.
///
/// # Errors
/// What the store refuses.
pub async fn note_skip(stores: &Stores, schedule: &Schedule, why: &str, now_ms: i64) -> Result<()> {
    let by = principal_of(&schedule.name);
    let by = Who {
        name: &by,
        is: Some(floodgate_records::execution::PrincipalIs::Verified),
    };
    let project = schedule.project.as_str();
    note(stores, project, by, Action::Skip, why, now_ms).await
}

/// Who starts a schedule's runs.
pub fn principal_of(name: &str) -> String {
    format!("schedule/{name}")
}

/// Puts a start before those that are remembered.
pub fn remember(state: &mut ScheduleState, start: ScheduledStart) {
    state.last.insert(0, start);
    state.last.truncate(REMEMBERED);
}
