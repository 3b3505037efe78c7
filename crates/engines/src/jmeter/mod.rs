//! JMeter 5.6 and 2.13: plans (JMX) inspected and split over tasks, run without GUI, results (JTL) read while they are written.
//!
//! JMeter knows when a sample did start. What throughput timers wanted is in `pace`.

mod checks;
mod engine;
mod exit;
mod figures;
mod files;
mod home;
mod import;
mod inspect;
mod launch;
mod mirror;
mod pace;
mod plan;
pub mod read;
mod split;
mod tokens;

pub use checks::Checks;
pub use engine::Jmeter;
pub use exit::exit;
pub use import::import;
pub use inspect::inspect;
pub use launch::{divided, launch};
pub use pace::Paces;
pub use read::{Options, reader};
