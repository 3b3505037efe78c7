//! The one place where text leaves for a terminal: results on stdout, messages on stderr.
//!
//! Names and messages come from definitions, scripts, targets and records. Everything but the crate `report`'s layouts, which
//! makes each part printable itself and then adds colours, is made printable here (see [`floodgate_records::printable`]). The
//! lints that forbid `println!` and `eprintln!` elsewhere in this crate keep it that way.

use crate::error::{CliError, Result};
use console::style;
use floodgate_records::printable::{printable, printable_json, printable_lines};
use std::fmt::Arguments;
use std::io::{ErrorKind, Write, stderr, stdout};
use std::path::Path;

/// Writes lines of text. A reader that has gone away (`| head`) is not an error.
///
/// # Errors
/// What the system reports.
pub(crate) fn print(text: &str) -> Result<()> {
    print_styled(&printable_lines(text))
}

/// Writes what `floodgate_report` laid out, colours and all.
///
/// # Errors
/// What the system reports.
pub(crate) fn print_styled(text: &str) -> Result<()> {
    write_out(text.as_bytes())
}

/// Writes bytes as they are, but for a terminal, which is shown what it would obey.
///
/// # Errors
/// What the system reports.
pub(crate) fn print_bytes(bytes: &[u8]) -> Result<()> {
    if console::Term::stdout().is_term() {
        return print(&String::from_utf8_lossy(bytes));
    }
    write_out(bytes)
}

fn write_out(bytes: &[u8]) -> Result<()> {
    let mut out = stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
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
    print_styled(&format!("{}\n", printable_json(&text)))
}

/// Writes a line to stderr, as `eprintln!` does; but what a terminal would obey in it is shown as its code, and a line that
/// cannot be written, on a full disk or a terminal that is gone, ends nothing.
macro_rules! say {
    ($($argument:tt)*) => { $crate::output::write_line(format_args!($($argument)*)) };
}
pub(crate) use say;

/// See the macro of this name.
pub(crate) fn write_line(line: Arguments<'_>) {
    write_err(&printable(&line.to_string()));
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

/// Says something of several lines on stderr.
pub(crate) fn say_lines(text: &str) {
    write_err(&printable_lines(text));
}

/// Says something on one line behind a dim lead.
pub(crate) fn say_led(lead: &str, text: &str) {
    write_err(&format!(
        "{} {}",
        style(lead).for_stderr().dim(),
        printable(text)
    ));
}

/// Says what is wrong. Lines behind the first are indented, so that none of them can be taken for a message of its own.
pub(crate) fn say_error(error: &CliError) {
    match error {
        // Faults bring their own layout.
        CliError::Definition(faults) => say_lines(faults.to_string().trim_end()),
        error => {
            let text = error.to_string();
            let lines: Vec<_> = text.trim_end().lines().map(printable).collect();
            let lead = style("error:").for_stderr().red().bold();
            write_err(&format!("{lead} {}", lines.join("\n       ")));
        }
    }
}

/// Writes lines to stderr that this program has made for another one, such as commands to a pipeline.
pub(crate) fn write_raw(lines: &str) {
    let _ = stderr().lock().write_all(lines.as_bytes());
}

/// A message that nobody can read must not end a run.
fn write_err(text: &str) {
    let _ = writeln!(stderr().lock(), "{text}");
}

/// The option with which a command finds runs of this folder, from the same working folder.
pub(crate) fn place(out: &Path) -> String {
    match out == Path::new(".floodgate") {
        true => String::new(),
        false => format!(" --out {}", out.display()),
    }
}

/// `1 scenario`, `2 scenarios`.
pub(crate) fn counted(n: u64, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}
