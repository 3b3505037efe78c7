//! What it takes to run k6, JMeter and Gatling, and to read what they write.
//!
//! Each engine has a folder with the same rooms: `inspect` (what its script says of the load), `launch` (the command, the
//! share of one task, how it is stopped, what its exit codes mean) and `read` (its output into samples). All samples go into
//! one [`Collector`], which makes the rows that the native engine makes too. The process that sends the load is
//! the generator's to start and to wait for; here an engine is only called for a moment, to say what a script would do.

mod archive;
mod call;
pub mod collector;
pub mod gatling;
pub mod inspect;
pub mod installed;
pub mod jmeter;
mod jvm;
pub mod k6;
pub mod launch;
pub mod lift;
mod links;
mod port;
mod private;
pub mod read;
mod withhold;

pub use collector::{Collector, Series};
pub use inspect::Inspection;
pub use jvm::is_frame;
pub use launch::{Exit, Job, Launch, LaunchError, Output, Said, Stop};
pub use links::link_out;
pub use read::{Lines, ReadError, Reader};
pub use withhold::{is_withheld, withhold};
