//! Short calls of an engine: its version, what it says of a script.

use crate::credentials::remove_credentials;
use crate::error::LaunchError;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How much it may print on each of its outputs, in bytes.
const MAX_PRINTED: u64 = 16 << 20;

/// What a call printed.
pub(crate) struct Called {
    /// Its exit code, -1 after a signal; `None` if it was not done in time, and was killed.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
}

/// Runs a command to its end, with bounds on time and on what it prints.
///
/// # Errors
/// [`LaunchError::File`] if it cannot be started or waited for.
pub(crate) fn call(mut command: Command, patience: Duration) -> Result<Called, LaunchError> {
    remove_credentials(&mut command);
    let program = command.get_program().to_owned();
    let fault = LaunchError::file(Path::new(&program));
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(fault)?;
    fn collect(from: impl Read + Send + 'static) -> JoinHandle<Vec<u8>> {
        thread::spawn(move || {
            let mut bytes = Vec::new();
            // What cannot be read is not there; the exit code tells the rest.
            let _ = from.take(MAX_PRINTED).read_to_end(&mut bytes);
            bytes
        })
    }
    let stdout = child.stdout.take().map(collect);
    let stderr = child.stderr.take().map(collect);
    let deadline = Instant::now() + patience;
    let mut pause = Duration::from_millis(2);
    let code = loop {
        if let Some(status) = child.try_wait().map_err(fault)? {
            break Some(status.code().unwrap_or(-1));
        }
        if Instant::now() > deadline {
            // It may have ended by now; either way it is waited for.
            let _ = child.kill();
            let _ = child.wait();
            break None;
        }
        thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(50));
    };
    let joined = |thread: Option<JoinHandle<Vec<u8>>>| {
        thread
            .and_then(|thread| thread.join().ok())
            .unwrap_or_default()
    };
    Ok(Called {
        code,
        stdout: joined(stdout),
        stderr: joined(stderr),
    })
}
