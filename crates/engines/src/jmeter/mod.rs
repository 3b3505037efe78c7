//! JMeter 5.6 and 2.13: plans (JMX) inspected and split over tasks, run without GUI, results (JTL) read while they are written.
//!
//! JMeter knows only when a sample did start. No `http_req_response_time` is made up for it, see [`read`].

mod inspect;
mod launch;
mod plan;
pub mod read;
mod split;
mod tokens;

pub use inspect::inspect;
pub use launch::{exit, launch};
pub use read::{Options, reader};

/// The most threads that one task runs well: JMeter keeps a Java thread and its buffers for each.
/// Source: <https://jmeter.apache.org/usermanual/best-practices.html> names a few hundred to a few thousand by plan.
pub const THREADS_A_TASK: u64 = 1_000;

/// How many tasks so many threads need, at least one.
pub const fn tasks_for(threads: u64) -> u64 {
    let tasks = threads.div_ceil(THREADS_A_TASK);
    if tasks == 0 { 1 } else { tasks }
}
