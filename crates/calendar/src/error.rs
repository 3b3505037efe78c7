//! What is wrong with a schedule.

/// What is wrong with a schedule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CalendarError {
    /// No time zone.
    #[error("{name:?} is not a time zone; write a name such as Europe/Berlin, or UTC")]
    Zone {
        /// As written.
        name: String,
    },
    /// No expression.
    #[error(
        "{text:?} is not a schedule: {problem}; write cron(minute hour day month weekday year), rate(value unit) or at(yyyy-mm-ddThh:mm:ss)"
    )]
    Expression {
        /// As written.
        text: String,
        /// What is wrong.
        problem: String,
    },
    /// No window.
    #[error(
        "{text:?} is not a window: {problem}; write days and times (mon-fri 09:00-18:00, daily 22:00-02:00) or two times \
         (2026-12-20T00:00:00/2027-01-04T00:00:00)"
    )]
    Blackout {
        /// As written.
        text: String,
        /// What is wrong.
        problem: String,
    },
}
