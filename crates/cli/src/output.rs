//! Writing results to stdout.

use crate::error::{CliError, Result};
use std::io::{ErrorKind, Write, stdout};

/// Writes text as it is. A reader that has gone away (`| head`) is no error.
///
/// # Errors
/// What the system reports.
pub(crate) fn print(text: &str) -> Result<()> {
    let mut out = stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(CliError::write("stdout", error))
        }
        _ => Ok(()),
    }
}

/// Writes a value as indented JSON.
///
/// # Errors
/// What the system reports.
pub(crate) fn print_json<T: serde::Serialize>(value: &T) -> Result<()> {
    let text = serde_json::to_string_pretty(value).map_err(|e| CliError::write("stdout", e))?;
    print(&format!("{text}\n"))
}
