//! How an engine is started for one task, and how it is stopped: as data, for the generator to carry out.

use crate::read::Reader;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// One task's part of a run.
#[derive(Clone, Debug)]
pub struct Job<'a> {
    /// The folder with the test's files; nothing is written there.
    pub folder: &'a Path,
    /// The script, relative to it.
    pub script: &'a str,
    /// A folder of the task's own for what has to be written.
    pub scratch: &'a Path,
    /// The weights of all tasks; equal ones as a rule.
    pub weights: &'a [u32],
    /// Which of them this is.
    pub place: usize,
    /// The base URL of the target, if the definition has one; scripts find it as the parameter `TARGET` unless they are given one.
    pub target: Option<&'a str>,
    /// Parameters for the script: k6's `-e`, JMeter's `-J`, Gatling's `-D`.
    pub parameters: &'a BTreeMap<String, String>,
    /// The longest time of the load, from the definition, if it says so.
    pub max_duration: Option<Duration>,
    /// Networks (`169.254.0.0/16`) that nothing may be sent to; only k6 can be kept from them.
    pub refused: &'a [String],
    /// The engine's program or home folder, if it is not to be looked for.
    pub home: Option<&'a Path>,
    /// CPUs that the task may use, maybe a fraction; `None` leaves it to the engine to find out.
    pub cpus: Option<f64>,
    /// Bytes of memory that the task may use, this process included; `None` likewise.
    pub memory: Option<u64>,
}

impl Job<'_> {
    /// Processors that an engine's runtime is to count on: whole ones, as many as the task may use.
    pub(crate) fn processors(&self) -> Option<u32> {
        self.cpus.map(|cpus| cpus.ceil().max(1.0) as u32)
    }
}

/// How the engine is started, read and stopped.
pub struct Launch {
    /// Program and arguments.
    pub command: Vec<OsString>,
    /// Environment on top of the task's own, of which [`withhold`](crate::withhold()) takes credentials.
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
    /// The engine starts paused and is told how to go on, if it is one that can be: k6.
    pub control: Option<crate::k6::Control>,
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

impl LaunchError {
    /// What a fault of a file becomes: for `map_err`.
    pub fn file(path: &Path) -> impl Fn(std::io::Error) -> Self + Copy {
        move |source| Self::File {
            path: path.to_owned(),
            source,
        }
    }
}

/// Why an engine cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    /// The engine is not here.
    #[error("{engine} is not installed: {remedy}")]
    NotFound {
        /// Its name.
        engine: &'static str,
        /// Where it is looked for and how to get it.
        remedy: String,
    },
    /// A version that this build does not drive.
    #[error("{engine} {found} is not supported: {remedy}")]
    Version {
        /// Its name.
        engine: &'static str,
        /// The version.
        found: String,
        /// What to do.
        remedy: String,
    },
    /// The script cannot be used.
    #[error("{script}: {problem}")]
    Script {
        /// Its path.
        script: String,
        /// What is wrong, where, and the remedy.
        problem: String,
    },
    /// A file cannot be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}
