//! What becomes of a process that has no memory left: one line, and the exit code of a run that could not be carried out.
//!
//! The standard library says in its own lines that an allocation failed, how to get a backtrace of it, and aborts. Neither can be
//! changed from within. So an abort gets an exit code, and where the memory of processes is limited (`ulimit -v`) another process
//! passes on what is said on stderr, and says that in a line.

use floodgate_records::status::Status;
use rustix::process::{Resource, getrlimit};
use std::ffi::OsString;
use std::io::{BufRead, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// The first argument of the process that passes on what is said.
pub(crate) const SIFT: &str = "__sift";
/// How many heaps glibc's allocator keeps. Each one reserves 64 MiB of addresses, which are what is limited.
const HEAPS: &str = "MALLOC_ARENA_MAX";

/// Gives an abort the exit code of a run that could not be carried out.
pub(crate) fn abort_with_an_exit_code() {
    let code = i32::from(Status::Errored.exit_code());
    // Where that is refused, the shell says 134.
    let _ = signal_hook::flag::register_conditional_shutdown(
        signal_hook::consts::SIGABRT,
        code,
        Arc::new(AtomicBool::new(true)),
    );
}

/// Whether the memory of this process is limited.
pub(crate) fn is_limited() -> bool {
    [Resource::As, Resource::Data]
        .into_iter()
        .any(|which| getrlimit(which).current.is_some())
}

/// Starts this program again, in this process, so that its addresses are not used up by heaps of threads. Returns where that has been
/// done, or cannot be.
pub(crate) fn with_one_heap(arguments: &[OsString]) {
    let (Some((name, rest)), Ok(program)) = (arguments.split_first(), std::env::current_exe())
    else {
        return;
    };
    if std::env::var_os(HEAPS).is_none() {
        let mut again = Command::new(program);
        // Returns only where it fails; then it goes as it goes.
        let _ = again.arg0(name).args(rest).env(HEAPS, "1").exec();
    }
}

/// Stderr, as long as another process passes it on.
pub(crate) struct Sifted {
    itself: OwnedFd,
    passes_on: Child,
}

impl Sifted {
    /// From now on another process passes on what is said on stderr. `None` where it cannot be started.
    pub(crate) fn begin() -> Option<Self> {
        let mut passes_on = Command::new(std::env::current_exe().ok()?)
            .arg(SIFT)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            // Ctrl-C is none of its business: it ends with the last one who says something.
            .process_group(0)
            .spawn()
            .ok()?;
        let to = passes_on.stdin.take()?;
        let itself = std::io::stderr().as_fd().try_clone_to_owned().ok()?;
        rustix::stdio::dup2_stderr(&to).ok()?;
        Some(Self { itself, passes_on })
    }
}

impl Drop for Sifted {
    /// Everything is said before this process ends.
    fn drop(&mut self) {
        if rustix::stdio::dup2_stderr(&self.itself).is_ok() {
            let _ = self.passes_on.wait();
        }
    }
}

/// Passes on lines from stdin to stderr.
pub(crate) fn sift() {
    let (mut input, mut output) = (std::io::stdin().lock(), std::io::stderr().lock());
    let (mut line, mut lines) = (Vec::new(), FailureLines::default());
    while matches!(input.read_until(b'\n', &mut line), Ok(1..)) {
        let text = String::from_utf8_lossy(&line);
        let said = match lines.of(text.trim_end_matches('\n')) {
            Some(shown) if shown == text.trim_end_matches('\n') => output.write_all(&line),
            Some(shown) => output.write_all(format!("{shown}\n").as_bytes()),
            None => Ok(()),
        };
        // A stderr that nobody reads any more changes no run.
        let _ = said;
        line.clear();
    }
    for line in lines.held {
        let _ = output.write_all(format!("{line}\n").as_bytes());
    }
}

/// How the standard library begins to say that an allocation failed. It writes the line in pieces, between which another process or
/// thread may write the same.
const ALLOCATION: &str = "memory allocation of ";
/// How it ends.
const FAILED: &str = " bytes failed";

/// Turns what the standard library says of an allocation that failed into one line. Without memory, code that has nothing to do with it
/// panics as well: a panic is held back until the end, and dropped if memory ran out.
#[derive(Debug, Default)]
pub(crate) struct FailureLines {
    failed: bool,
    /// Whether the next line is the message of a panic.
    message: bool,
    /// What was said of panics.
    held: Vec<String>,
}

impl FailureLines {
    /// What to say instead of a line; `None`: nothing, or nothing yet.
    pub(crate) fn of(&mut self, line: &str) -> Option<String> {
        let message = std::mem::take(&mut self.message);
        if line.contains(ALLOCATION) || line.ends_with(FAILED) {
            self.held.clear();
            let first = !std::mem::replace(&mut self.failed, true);
            return first.then(|| out_of_memory(line));
        }
        let panics = line.contains(" panicked at ");
        // Our own hook says all in a line, the standard library the message in the next.
        self.message = panics && line.starts_with("thread '");
        let of_panic =
            panics || message || is_trace(line) && (self.failed || !self.held.is_empty());
        if of_panic && !self.failed {
            self.held.push(line.to_owned());
        }
        (!of_panic).then(|| line.to_owned())
    }
}

/// The line for people.
fn out_of_memory(line: &str) -> String {
    // Two that were written at the same time have mixed digits.
    let bytes = line
        .strip_prefix(ALLOCATION)
        .and_then(|rest| rest.strip_suffix(FAILED))
        .filter(|bytes| bytes.parse::<u64>().is_ok())
        .map_or_else(String::new, |bytes| {
            format!(": {bytes} bytes could not be had")
        });
    format!(
        "out of memory{bytes}; raise the limit (`ulimit -v`, that of a container), or send with fewer VUs and series"
    )
}

/// Whether a line is of a backtrace, or about one.
fn is_trace(line: &str) -> bool {
    let text = line.trim_start();
    let (frame, rest) = text.split_once(": ").unwrap_or_default();
    let is_frame = line.starts_with(' ') && !rest.is_empty() && frame.parse::<u32>().is_ok();
    let is_place = line.starts_with("      ") && text.starts_with("at ");
    let is_about = [
        "RUST_BACKTRACE",
        "stack backtrace:",
        "skipping backtrace",
        "non-unwinding panic",
    ]
    .iter()
    .any(|part| line.contains(part));
    is_frame || is_place || is_about
}

#[cfg(test)]
mod tests {
    use super::FailureLines;

    #[test]
    fn an_allocation_that_failed_is_told_once_and_in_one_line() {
        let said = "merging\n\
            memory allocation of 2288 bytes failed\n\
            stack backtrace:\n\
            memory allocation of 448 bytes failed\n\
            skipping backtrace printing to avoid potential recursion\n\
            note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace\n\
            the last word";
        let mut lines = FailureLines::default();
        let shown: Vec<_> = said.lines().filter_map(|line| lines.of(line)).collect();
        assert_eq!(shown.len(), 3, "{shown:?}");
        assert!(
            shown[1].starts_with("out of memory: 2288 bytes"),
            "{shown:?}"
        );
        assert!(!shown.join("").contains("BACKTRACE"), "{shown:?}");
    }

    #[test]
    fn what_is_said_of_something_else_is_left_alone() {
        let mut lines = FailureLines::default();
        for line in [
            "stack backtrace:",
            "note: run with `RUST_BACKTRACE=1`",
            "   1: no frame",
            "",
        ] {
            assert_eq!(lines.of(line).as_deref(), Some(line));
        }
    }

    const PANIC: &str = "thread 'main' (7) panicked at a.rs:1:2:\n\
        the message\n\
        stack backtrace:\n   \
        0: std::panicking\n             \
        at /rustc/a.rs:1:2\n\
        note: run with `RUST_BACKTRACE=1`\n\
        thread caused non-unwinding panic. aborting.";

    fn shown(said: &str) -> (Vec<String>, Vec<String>) {
        let mut lines = FailureLines::default();
        let shown = said.lines().filter_map(|line| lines.of(line)).collect();
        (shown, lines.held)
    }

    #[test]
    fn a_panic_for_want_of_memory_is_not_told() {
        let failed = "memory allocation of 7 bytes failed";
        let hook =
            "floodgate panicked at a.rs:1:2: why; with RUST_BACKTRACE=1 it says where it came from";
        for said in [
            format!("{failed}\n{PANIC}\nthe last word"),
            format!("{hook}\n{failed}\nthe last word"),
            format!("{failed}\n{hook}\nthe last word"),
            format!("{PANIC}\n{failed}\nthe last word"),
        ] {
            let (shown, held) = shown(&said);
            assert_eq!(shown.len(), 2, "{shown:?}");
            assert!(shown[0].starts_with("out of memory: 7 bytes"), "{shown:?}");
            assert_eq!(shown[1], "the last word");
            assert!(held.is_empty());
        }
    }

    #[test]
    fn a_panic_of_another_cause_is_told_at_the_end() {
        let (shown, held) = shown(&format!("merging\n{PANIC}\nthe last word"));
        assert_eq!(shown, ["merging", "the last word"]);
        assert_eq!(held, PANIC.lines().collect::<Vec<_>>());
    }

    #[test]
    fn lines_that_two_processes_mix_are_told_once() {
        let said =
            "memory allocation of memory allocation of 2768128 bytes failed\n bytes failed\nover";
        let (shown, _) = shown(said);
        assert_eq!(shown.len(), 2, "{shown:?}");
        assert!(shown[0].starts_with("out of memory; raise"), "{shown:?}");
    }
}
