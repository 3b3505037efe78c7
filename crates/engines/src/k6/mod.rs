//! k6: 1.x and 2.x.
//!
//! * [`Tool`] finds k6 and asks it; [`inspect()`] reads what it says of a script, [`pack()`] makes the script one file,
//!   [`examine`] does both.
//! * [`launch()`] gives the command of one task: k6's own execution segments divide the load, a named pipe takes its samples.
//! * [`RestApi`] speaks to the k6 that runs: setup and teardown once for all tasks, and one start.
//! * [`reader`] reads the samples while k6 runs, [`import()`] files from elsewhere.

mod engine;
mod error_code;
mod exit;
mod inspect;
mod launch;
mod options;
mod pack;
pub mod read;
mod rest;
mod tool;

pub use engine::K6;
pub use exit::exit;
pub use inspect::inspect;
pub use launch::launch;
pub use options::LOAD_OPTIONS_HEADING;
pub use pack::{Packed, examine, pack, parameters};
pub use read::{CsvReader, JsonReader, import, reader};
pub use rest::RestApi;
pub use tool::{Tool, Version};
