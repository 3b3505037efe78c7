//! Writing results to stdout, and everything else to stderr.

use crate::error::{CliError, Result};
use std::fmt::Arguments;
use std::io::{ErrorKind, Write, stderr, stdout};

/// Writes a line to stderr, as `eprintln!` does; but one that cannot be written, on a full disk or a terminal that is gone, ends
/// nothing.
macro_rules! say {
    ($($argument:tt)*) => { $crate::output::write_line(format_args!($($argument)*)) };
}
pub(crate) use say;

/// See the macro of this name.
pub(crate) fn write_line(line: Arguments<'_>) {
    let _ = writeln!(stderr().lock(), "{line}");
}

/// Names on stderr what was left out of a listing because it cannot be read; past the first few only how many more.
pub(crate) fn say_damaged(damaged: &[String]) {
    const SHOWN: usize = 5;
    for sentence in damaged.iter().take(SHOWN) {
        say!("warning: {sentence}; it is left out");
    }
    if let Some(more) = damaged.len().checked_sub(SHOWN).filter(|&more| more > 0) {
        say!("warning: {more} more cannot be read and are left out");
    }
}

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
