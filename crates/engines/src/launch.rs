//! How an engine is started for one task, and how it is stopped: as data, for the generator to carry out.

use crate::control::Control;
use crate::read::Reader;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// How the engine is started, read and stopped.
pub struct Launch {
    /// Program and arguments.
    pub command: Vec<OsString>,
    /// Environment on top of the task's own, of which [`remove_credentials`](crate::remove_credentials) takes those of AWS.
    pub env: Vec<(OsString, OsString)>,
    /// Where it runs.
    pub folder: PathBuf,
    /// Where its samples come out.
    pub output: Output,
    /// Reads them.
    pub reader: Box<dyn Reader>,
    /// How it is asked to stop.
    pub stop: Stop,
    /// How long it may take to stop before it is killed.
    pub patience: Duration,
    /// What its exit code means.
    pub exit: fn(i32) -> Exit,
    /// What a line that it says is of interest for; `None` of a line that tells nothing.
    pub hears: fn(&str) -> Option<Said>,
    /// Whether its exit code can be believed where it wrote no sample: then its part had nothing to send.
    pub is_believed: bool,
    /// The engine starts paused and is told how to go on, if it is one that can be.
    pub control: Option<Arc<dyn Control>>,
    /// What the reader of the record should know already.
    pub warnings: Vec<String>,
}

/// What an engine says in a line on stdout or stderr.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// An error, after which it goes on.
    Error(String),
    /// An iteration of the script ended with this exception; the next one begins all the same.
    Exception(String),
    /// The script says that the test has failed, and lets it go on.
    Failed(String),
    /// The script ends the test.
    Aborted(String),
    /// Why it cannot run at all, and the remedy: said in place of its last words if it fails.
    Cause(String),
    /// The script's own words, for whoever looks on.
    Console(String),
}

/// Where samples come out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// A named pipe that the generator makes before the start: nothing is stored twice, and a slow reader slows the engine's
    /// output rather than fill the disk.
    Pipe(PathBuf),
    /// A file that grows, read as it does.
    File(PathBuf),
    /// A file of this name in a folder below this one that the engine names itself.
    Found {
        /// The folder.
        below: PathBuf,
        /// The file's name.
        name: &'static str,
    },
}

/// How an engine is asked to stop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// SIGINT, then SIGKILL when patience ends.
    Interrupt,
    /// SIGTERM, then SIGKILL.
    Terminate,
    /// A UDP datagram to a port on loopback, then SIGTERM, then SIGKILL: JMeter's way.
    Datagram {
        /// The port.
        port: u16,
        /// What to send.
        message: &'static str,
    },
}

/// What an exit code means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Exit {
    /// It ran to its end.
    Completed,
    /// It was asked to stop, and did.
    Stopped,
    /// The script ended the run itself, and says so as an abort.
    Aborted {
        /// What the code means.
        meaning: &'static str,
    },
    /// It ran to its end, and the script says that the test has failed.
    Marked,
    /// It could not run.
    Failed {
        /// What the code means.
        meaning: &'static str,
    },
}
