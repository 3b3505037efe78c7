//! k6.

mod error_code;
mod exit;
pub mod read;

pub use exit::exit;
pub use read::{CsvReader, JsonReader, import, reader};
