//! When schedules are due, pure: expressions as EventBridge Scheduler has them (`cron(0 2 * * ? *)`, `rate(6 hours)`,
//! `at(2026-12-24T18:00:00)`), in a time zone, and windows in which nothing starts.
//!
//! Times are Unix ms. Around a change of the clock the rules are those of EventBridge Scheduler
//! (<https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html>): a time of a cron expression that does not exist on a day
//! is left out, and one that comes twice is taken once, the first time.

mod blackout;
mod cron;
mod error;
mod timetable;

pub use blackout::Blackouts;
pub use error::CalendarError;
pub use timetable::{Due, Timetable};

use chrono::{DateTime, NaiveDateTime, TimeZone as _, Utc};
use chrono_tz::Tz;

/// A time zone by its name in the IANA database, such as `Europe/Berlin`.
fn zone(name: &str) -> Result<Tz, CalendarError> {
    name.parse().map_err(|_| CalendarError::Zone {
        name: name.to_owned(),
    })
}

/// The first instant at which clocks in a zone show a time; `None`: they never do.
fn instant(zone: Tz, local: NaiveDateTime) -> Option<i64> {
    let found = zone.from_local_datetime(&local).earliest()?;
    Some(found.timestamp_millis())
}

/// What clocks in a zone show; `None` beyond the calendar.
fn local(zone: Tz, ms: i64) -> Option<NaiveDateTime> {
    let utc: DateTime<Utc> = DateTime::from_timestamp_millis(ms)?;
    Some(utc.with_timezone(&zone).naive_local())
}
