//! Commands for curl, as people write them, and as browsers copy them.

mod cmd;
mod command;
mod data;
mod options;
mod shell;

use crate::error::ConvertError;
use crate::options::Options;
use crate::recording::Recording;
use crate::sniff::is_curl;

/// The longest text of commands in bytes.
pub(crate) const MAX_BYTES: usize = 16 << 20;
/// The most commands.
const MAX_COMMANDS: usize = 500;

/// A command as its shell would take it apart.
#[derive(Debug, Default, PartialEq, Eq)]
struct Line {
    /// From 1.
    line: usize,
    words: Vec<String>,
    /// Comments before it.
    comments: Vec<String>,
    /// What the shell would have done, and nobody does here.
    notes: Vec<String>,
}

/// Reads commands; lines that are none of curl are passed over, and commands that make no sense are left out.
///
/// # Errors
/// A quote that is not closed, and no command that makes sense.
pub(crate) fn read(text: &str, options: &Options<'_>) -> Result<Recording, ConvertError> {
    let lines = match cmd::is_cmd(text) {
        true => cmd::lines(text),
        false => shell::lines(text)?,
    };
    let mut recording = Recording {
        about: "curl commands".into(),
        ..Recording::default()
    };
    let (mut passed, mut n, mut bad) = (0, 0, Vec::new());
    for line in lines {
        let Some(first) = line
            .words
            .iter()
            .position(|word| is_curl(word))
            .filter(|at| line.words[..*at].iter().all(|word| is_prefix(word)))
        else {
            passed += usize::from(!line.words.is_empty());
            continue;
        };
        n += 1;
        if n > MAX_COMMANDS {
            recording.notes.push(format!(
                "Commands beyond the first {MAX_COMMANDS} are left out."
            ));
            break;
        }
        // `--next` begins another request in the same command.
        for words in line.words[first + 1..].split(|word| word == "--next" || word == "-:") {
            let place = format!("command {n} (line {})", line.line);
            let made = match command::exchanges(words, &line, &place, options) {
                Ok(made) => made,
                Err(error) => {
                    bad.push(error);
                    continue;
                }
            };
            recording.insecure |= made.insecure;
            recording.proxy = recording.proxy.or(made.proxy);
            recording.version = recording.version.or(made.version);
            recording.exchanges.extend(made.exchanges);
        }
    }
    for error in &bad {
        recording.notes.push(format!("Left out: {error}."));
    }
    if recording.exchanges.is_empty() && !bad.is_empty() {
        return Err(bad.swap_remove(0));
    }
    if passed > 0 {
        recording.notes.push(format!(
            "{passed} line{} without curl left out.",
            if passed == 1 { "" } else { "s" }
        ));
    }
    if n == 0 {
        return Err(ConvertError::Nothing {
            why: "there is no curl command in the source; each begins with the word curl".into(),
        });
    }
    Ok(recording)
}

/// What may stand before the command: a prompt, `time`, `sudo`, a variable's assignment.
fn is_prefix(word: &str) -> bool {
    matches!(
        word,
        "$" | "#" | "%" | ">" | "time" | "sudo" | "exec" | "command"
    ) || word
        .split_once('=')
        .is_some_and(|(name, _)| name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'))
}
