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
}

/// Turns what the standard library says of an allocation that failed into one line.
#[derive(Debug, Default)]
pub(crate) struct FailureLines {
    failed: bool,
}

impl FailureLines {
    /// What to say instead of a line; `None`: nothing.
    pub(crate) fn of(&mut self, line: &str) -> Option<String> {
        let allocation = line
            .strip_prefix("memory allocation of ")
            .and_then(|rest| rest.strip_suffix(" bytes failed"));
        if let Some(bytes) = allocation {
            let first = !std::mem::replace(&mut self.failed, true);
            return first.then(|| {
                format!(
                    "out of memory: {bytes} bytes could not be had; raise the limit (`ulimit -v`, that of a container), or send with fewer VUs and series"
                )
            });
        }
        let trace = [
            "note: run with `RUST_BACKTRACE",
            "stack backtrace:",
            "skipping backtrace",
        ]
        .iter()
        .any(|start| line.starts_with(start));
        (!(self.failed && trace)).then(|| line.to_owned())
    }
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
        for line in ["stack backtrace:", "note: run with `RUST_BACKTRACE=1`", ""] {
            assert_eq!(lines.of(line).as_deref(), Some(line));
        }
    }
}
