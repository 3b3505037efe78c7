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
mod zone;

pub use blackout::Blackouts;
pub use error::CalendarError;
pub use timetable::{Due, Timetable};
