//! k6: 1.x and 2.x.
//!
//! * [`Tool`] finds k6 and asks it; [`inspect()`] reads what it says of a script, [`pack()`] makes the script one file,
//!   [`examine`] does both.
//! * [`launch()`] gives the command of one task: k6's own execution segments divide the load, a named pipe takes its samples.
//! * [`Control`] speaks to the k6 that runs: setup and teardown once for all tasks, and one start.
//! * [`reader`] reads the samples while k6 runs, [`import()`] files from elsewhere.

mod control;
mod error_code;
mod exit;
mod inspect;
mod launch;
mod pack;
pub mod read;
mod tool;

pub use control::{Control, ControlError, Phase, SetupData};
pub use exit::exit;
pub use inspect::inspect;
pub use launch::launch;
pub use pack::{Packed, examine, pack, parameters};
pub use read::{CsvReader, JsonReader, import, reader};
pub use tool::{Tool, Version};
