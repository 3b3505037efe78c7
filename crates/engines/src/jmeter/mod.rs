//! JMeter 5.6 and 2.13: plans (JMX) inspected and split over tasks, run without GUI, results (JTL) read while they are written.
//!
//! JMeter knows when a sample did start. What throughput timers wanted is in `pace`.

mod files;
mod inspect;
mod launch;
mod pace;
mod plan;
pub mod read;
mod split;
mod tokens;

pub use inspect::inspect;
pub use launch::{divided, exit, launch};
pub(crate) use launch::{installed, java};
pub use pace::Paces;
pub use read::{Checks, Options, reader};

/// The most threads that one task runs well: JMeter keeps a Java thread and its buffers for each.
/// Source: <https://jmeter.apache.org/usermanual/best-practices.html> names a few hundred to a few thousand by plan.
pub const THREADS_A_TASK: u64 = 1_000;

/// How many tasks so many threads need, at least one.
pub const fn tasks_for(threads: u64) -> u64 {
    let tasks = threads.div_ceil(THREADS_A_TASK);
    if tasks == 0 { 1 } else { tasks }
}

/// A reader of results that were made elsewhere, told by their beginning: XML, CSV with a header, or CSV that begins with a sample; `None`
/// if it is none of them.
pub fn import(head: &[u8]) -> Option<Box<dyn crate::Reader>> {
    let line = head.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let line = String::from_utf8_lossy(line);
    let line = line.trim_start_matches('\u{feff}').trim();
    let xml = line.starts_with("<?xml") || line.starts_with("<testResults");
    let header = line.contains("timeStamp") && line.contains("elapsed");
    // Milliseconds since 1970 have 13 digits until 2286.
    let mut fields = line.split(',');
    let number = |field: Option<&str>, digits: usize| {
        field.is_some_and(|f| f.len() >= digits && f.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let sample = number(fields.next(), 13) && number(fields.next(), 1) && fields.count() >= 5;
    (xml || header || sample).then(|| reader(Options::default()))
}
