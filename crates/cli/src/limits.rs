//! What the system must allow at least, looked at before anything needs it: what runs out in the middle cannot always be told.

use crate::error::{CliError, Result};
use floodgate_generator::health::Limits;
use std::sync::mpsc::channel;
use std::thread::Builder;

/// Open files that every command may need: standard streams, a runtime's own, signals, records, shards, and a few connections.
const FILES: u64 = 64;
/// Threads that a command which sends load needs beside its first one: its own for files, a generator with one worker, its flusher, and
/// those that they read files and names on.
pub(crate) const FOR_LOAD: usize = 8;
/// Threads of any other command.
pub(crate) const FOR_READING: usize = 2;

/// Raises the limit of open files as far as it goes, and makes sure that so many threads can be started.
///
/// # Errors
/// [`CliError::Run`] with the remedy.
pub(crate) fn check(threads: usize) -> Result<()> {
    enough_files(Limits::raise().open_files)?;
    let (started, problem) = start(threads);
    enough_threads(started, threads, problem.as_deref())
}

fn enough_files(allowed: u64) -> Result<()> {
    if allowed >= FILES {
        return Ok(());
    }
    let problem = format!(
        "the limit of open files is {allowed}, at least {FILES} are needed and one more for each connection: raise it with `ulimit -n {FILES}` or more"
    );
    Err(CliError::run("begin", problem))
}

fn enough_threads(started: usize, needed: usize, problem: Option<&str>) -> Result<()> {
    match problem {
        None => Ok(()),
        Some(problem) => Err(CliError::run(
            "begin",
            format!(
                "{started} of {needed} threads could be started ({problem}): raise the limit of processes (`ulimit -u`), of the control group \
                 (pids.max; `--pids-limit` of a container) or of memory (`ulimit -v`)"
            ),
        )),
    }
}

/// Starts so many threads, lets them end again, and says how many there were and why not more.
fn start(threads: usize) -> (usize, Option<String>) {
    let (release, released) = channel::<()>();
    let released = std::sync::Arc::new(std::sync::Mutex::new(released));
    let mut started = Vec::new();
    let mut problem = None;
    for _ in 0..threads {
        let released = std::sync::Arc::clone(&released);
        // Each waits until all are there: those that have ended take no room.
        let thread = Builder::new().name("probe".into()).spawn(move || {
            if let Ok(released) = released.lock() {
                let _ = released.recv();
            }
        });
        match thread {
            Ok(thread) => started.push(thread),
            Err(error) => {
                problem = Some(error.to_string());
                break;
            }
        }
    }
    let count = started.len();
    drop(release);
    for thread in started {
        let _ = thread.join();
    }
    (count, problem)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_is_short_is_named_with_its_remedy() {
        assert!(enough_files(64).is_ok());
        let said = enough_files(20).unwrap_err().to_string();
        assert!(
            said.contains("is 20") && said.contains("ulimit -n 64"),
            "{said}"
        );
        let said = enough_threads(3, 8, Some("no more"))
            .unwrap_err()
            .to_string();
        assert!(
            said.contains("3 of 8") && said.contains("pids.max"),
            "{said}"
        );
        assert!(enough_threads(8, 8, None).is_ok());
    }

    #[test]
    fn threads_are_counted() {
        assert_eq!(start(3), (3, None));
    }
}
