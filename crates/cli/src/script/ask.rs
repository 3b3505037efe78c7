//! Asking an engine what a script would do.

use floodgate_engines::LaunchError;
use std::ffi::OsString;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How long an engine may take to answer.
const PATIENCE: Duration = Duration::from_secs(120);
/// Bytes of an answer that are read.
const MOST: u64 = 64 << 20;
/// Bytes of its complaints that are shown.
const SHOWN: usize = 2_000;

/// What the command prints on stdout.
///
/// # Errors
/// One that cannot be started, fails, or does not answer in time, with the last that it said.
pub(super) fn ask(
    command: &[OsString],
    folder: &Path,
    script: &str,
) -> std::result::Result<Vec<u8>, LaunchError> {
    let fail = |problem: String| LaunchError::Script {
        script: script.to_owned(),
        problem,
    };
    let Some((program, arguments)) = command.split_first() else {
        return Err(fail("there is no command".into()));
    };
    let name = program.to_string_lossy();
    let started = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = started.map_err(|error| fail(format!("{name}: {error}")))?;
    let read = |from: Option<Box<dyn Read + Send>>| {
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            if let Some(from) = from {
                // What cannot be read is missing from the answer, which then does not parse.
                let _ = from.take(MOST).read_to_end(&mut bytes);
            }
            bytes
        })
    };
    let out = read(
        child
            .stdout
            .take()
            .map(|s| Box::new(s) as Box<dyn Read + Send>),
    );
    let err = read(
        child
            .stderr
            .take()
            .map(|s| Box::new(s) as Box<dyn Read + Send>),
    );
    let begun = Instant::now();
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if begun.elapsed() < PATIENCE => {
                std::thread::sleep(Duration::from_millis(5));
            }
            other => {
                // It ends in any case; what matters is said below.
                let _ = child.kill();
                let _ = child.wait();
                let problem = match other {
                    Err(error) => error.to_string(),
                    Ok(_) => format!("did not answer within {} s", PATIENCE.as_secs()),
                };
                return Err(fail(format!("{name} {problem}")));
            }
        }
    };
    let (out, err) = (
        out.join().unwrap_or_default(),
        err.join().unwrap_or_default(),
    );
    if status.success() {
        return Ok(out);
    }
    let said = if err.is_empty() { &out } else { &err };
    let said = String::from_utf8_lossy(&said[said.len().saturating_sub(SHOWN)..]);
    Err(fail(format!("{name} does not take it: {}", said.trim())))
}
