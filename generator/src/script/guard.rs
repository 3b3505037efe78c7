//! Sees to it that an engine does not outlive whoever started it.
//!
//! A process can ask the kernel to be killed when its parent ends, but only for itself. So the engine is started through this
//! executable: it asks, and then becomes the engine, which keeps the request.

use rustix::process::{Signal, getppid, set_parent_process_death_signal};
use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// The argument that makes an executable call [`guarded`] with the ones after it: the parent's process id and the engine's command.
pub const GUARD: &str = "become-engine";

/// Becomes the command; returns only if it cannot.
pub fn guarded(mut arguments: impl Iterator<Item = OsString>) -> io::Error {
    let invalid = |what: &str| io::Error::new(io::ErrorKind::InvalidInput, what.to_owned());
    let Some(parent) = arguments
        .next()
        .and_then(|parent| parent.to_str()?.parse::<i32>().ok())
    else {
        return invalid("the parent's process id is missing");
    };
    let Some(program) = arguments.next() else {
        return invalid("there is no command");
    };
    if let Err(error) = set_parent_process_death_signal(Some(Signal::KILL)) {
        return error.into();
    }
    // The parent may have ended before the request was made.
    if getppid().map(|pid| pid.as_raw_nonzero().get()) != Some(parent) {
        return io::Error::other("the parent has ended");
    }
    Command::new(program).args(arguments).exec()
}
