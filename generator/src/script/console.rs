//! What an engine says on stdout and stderr: all of it is read, so that it never waits, and what counts is kept.

use crate::environment::Console;
use floodgate_engines::{Said, is_frame};
use std::collections::VecDeque;
use std::io::Read;
use std::sync::{Arc, Mutex, MutexGuard};

/// Lines that are kept.
const LINES: usize = 20;
/// Characters of a line that are kept.
const LINE_CHARS: usize = 400;
/// Bytes of a line that are looked at.
const LINE_BYTES: usize = 8 << 10;
/// Lines of a script's console that are passed on: a line an iteration would bury the rest.
const CONSOLE_LINES: u64 = 1_000;

/// The last lines, and what the engine said that counts, shared with the thread that reads.
#[derive(Clone)]
pub(super) struct ConsoleLog {
    hears: fn(&str) -> Option<Said>,
    console: Console,
    kept: Arc<Mutex<Kept>>,
}

#[derive(Debug, Default)]
struct Kept {
    last: VecDeque<String>,
    heard: Heard,
}

/// What an engine said that counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Heard {
    /// How many errors there were, exceptions included, and the first.
    errors: u64,
    first_error: String,
    /// Iterations that ended with an exception, and the first.
    pub(crate) exceptions: u64,
    pub(crate) exception: Option<String>,
    /// Why the script says that the test has failed.
    pub(crate) failed: Option<String>,
    /// Why the script has ended the test.
    pub(crate) aborted: Option<String>,
    /// Why the engine cannot run, if it says so.
    pub(crate) cause: Option<String>,
    /// Lines of the script's console.
    console: u64,
}

impl Heard {
    fn error(&mut self, text: &str) {
        if self.errors == 0 {
            text.clone_into(&mut self.first_error);
        }
        self.errors += 1;
    }

    /// Takes note of what is said; gives back what is for the console.
    fn take(&mut self, said: Said) -> Option<String> {
        match said {
            Said::Error(text) => self.error(&text),
            Said::Exception(text) => {
                self.error(&text);
                self.exceptions += 1;
                self.exception.get_or_insert(text);
            }
            Said::Failed(why) => drop(self.failed.get_or_insert(why)),
            Said::Aborted(why) => drop(self.aborted.get_or_insert(why)),
            Said::Cause(why) => drop(self.cause.get_or_insert(why)),
            Said::Console(text) => {
                self.console += 1;
                return (self.console <= CONSOLE_LINES).then_some(text);
            }
        }
        None
    }

    /// What the record's reader should know of it, a sentence each.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let errors = (self.errors > 0).then(|| {
            format!(
                "errors that the engine reported: {}; the first: {}",
                self.errors, self.first_error
            )
        });
        let unseen = self.console.saturating_sub(CONSOLE_LINES);
        let console = (unseen > 0).then(|| {
            format!(
                "the script wrote {} lines to its console, of which the first {CONSOLE_LINES} were shown",
                self.console
            )
        });
        errors.into_iter().chain(console).collect()
    }
}

impl ConsoleLog {
    /// Nothing was said yet. Of each line `hears` tells what counts.
    pub(super) fn new(hears: fn(&str) -> Option<Said>, console: Console) -> Self {
        Self {
            hears,
            console,
            kept: Arc::default(),
        }
    }

    /// Reads to the end.
    pub(super) fn listen(&self, mut from: impl Read) {
        let (mut buffer, mut line) = (vec![0; 16 << 10], Vec::new());
        loop {
            let read = match from.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(_) => break,
            };
            for &byte in &buffer[..read] {
                if byte == b'\n' || byte == b'\r' {
                    self.keep(&line);
                    line.clear();
                } else if line.len() < LINE_BYTES {
                    line.push(byte);
                }
            }
        }
        self.keep(&line);
    }

    fn keep(&self, line: &[u8]) {
        let text = String::from_utf8_lossy(line);
        let text = text.trim();
        if text.is_empty() {
            return;
        }
        let said = (self.hears)(text);
        let shown = {
            let mut kept = self.kept();
            // Frames of a trace tell those who wrote the code; they would bury what they follow.
            if !is_frame(text) {
                if kept.last.len() == LINES {
                    kept.last.pop_front();
                }
                kept.last
                    .push_back(match text.char_indices().nth(LINE_CHARS) {
                        Some((end, _)) => format!("{}…", &text[..end]),
                        None => text.to_owned(),
                    });
            }
            said.and_then(|said| kept.heard.take(said))
        };
        for line in shown.iter().flat_map(|shown| shown.lines()) {
            (self.console)(line);
        }
    }

    /// A thread that panicked while it held the lock has left whole lines.
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(|held| held.into_inner())
    }

    /// The last lines as one.
    pub(super) fn last(&self, lines: usize) -> String {
        let kept = self.kept();
        let skipped = kept.last.len().saturating_sub(lines);
        let last: Vec<_> = kept.last.iter().skip(skipped).map(String::as_str).collect();
        last.join(" | ")
    }

    /// What counts of it all.
    pub(super) fn heard(&self) -> Heard {
        self.kept().heard.clone()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn silent() -> Console {
        Arc::new(|_| ())
    }

    #[test]
    fn a_flood_leaves_its_last_lines_and_no_line_is_long() {
        let hears = |line: &str| {
            let error = line.ends_with("000");
            error.then(|| Said::Error(line.to_owned()))
        };
        let words = ConsoleLog::new(hears, silent());
        let flood: String = (0..100_000).map(|n| format!("line {n}\n")).collect();
        words.listen(flood.as_bytes());
        assert_eq!(words.last(2), "line 99998 | line 99999");
        words.listen(std::io::repeat(b'x').take(10_000_000));
        let last = words.last(1);
        assert_eq!(last.chars().count(), LINE_CHARS + 1);
        assert_eq!(words.kept.lock().unwrap().last.len(), LINES);
        assert_eq!(
            words.heard().warnings(),
            ["errors that the engine reported: 99; the first: line 1000"]
        );
        assert_eq!(Heard::default().warnings(), [""; 0]);
    }

    #[test]
    fn frames_of_a_trace_do_not_bury_what_they_follow() {
        let words = ConsoleLog::new(|_| None, silent());
        let trace: String = (0..50)
            .map(|n| format!("\tat a.B.c{n}(B.java:{n})\n"))
            .collect();
        words.listen(format!("starting\njava.lang.Error: boom\n{trace}\t... 3 more\n").as_bytes());
        assert_eq!(words.last(5), "starting | java.lang.Error: boom");
    }

    #[test]
    fn what_a_script_says_is_passed_on_and_what_it_ends_with_is_kept() {
        let hears = |line: &str| {
            Some(match line.split_once(' ')? {
                ("log", text) => Said::Console(text.replace('/', "\n")),
                ("threw", text) => Said::Exception(text.to_owned()),
                ("failed", text) => Said::Failed(text.to_owned()),
                (_, text) => Said::Aborted(text.to_owned()),
            })
        };
        let shown = Arc::new(Mutex::new(Vec::new()));
        let to = Arc::clone(&shown);
        let words = ConsoleLog::new(
            hears,
            Arc::new(move |line| to.lock().unwrap().push(line.to_owned())),
        );
        words.listen(&b"log a/b\nthrew x\nthrew y\nfailed one\nfailed two\nended three\n"[..]);
        assert_eq!(*shown.lock().unwrap(), ["a", "b"]);
        let heard = words.heard();
        assert_eq!(
            (heard.exceptions, heard.exception.as_deref()),
            (2, Some("x"))
        );
        assert_eq!(
            (heard.failed.as_deref(), heard.aborted.as_deref()),
            (Some("one"), Some("three"))
        );
        let flood: String = (0..2_000).map(|n| format!("log {n}\n")).collect();
        words.listen(flood.as_bytes());
        assert_eq!(shown.lock().unwrap().len() as u64, CONSOLE_LINES + 1);
        let told = words.heard().warnings();
        assert!(told[1].contains("2001 lines to its console"), "{told:?}");
    }
}
