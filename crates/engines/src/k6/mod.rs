//! k6.

mod control;
mod error_code;
mod exit;
mod inspect;
mod launch;
pub mod read;
mod tool;

pub use control::{Control, ControlError, Phase, SetupData};
pub use exit::exit;
pub use inspect::inspect;
pub use launch::launch;
pub use read::{CsvReader, JsonReader, import, reader};
pub use tool::{Tool, Version};
