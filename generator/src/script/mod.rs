//! Supervises an external engine: starts the process, reads what it writes while it runs, stops it, and says how it ended.
//!
//! What to start and how to read it is the [`floodgate_engines`] crate's to say; here is only what needs processes, threads and
//! clocks. Memory is bounded whatever the engine writes: samples go into windows, and of its words the last lines are kept.

mod child;
mod console;
mod feed;
mod guard;
mod output;

pub(crate) use child::{Child, Ended};
pub(crate) use console::Heard;
pub(crate) use feed::{Fed, FeedConfig, Signals, feed};
pub use guard::{GUARD, guarded};
pub(crate) use output::OutputSource;
