//! The time of day.

/// Unix milliseconds: the time of day when this process began, and what has passed since. All generators on this machine go by the
/// same.
pub(crate) fn now_ms() -> i64 {
    floodgate_generator::clock::unix_ms()
}
