//! Speaking to an engine that runs: setup and teardown once for all tasks, and one start.
//!
//! Such an engine starts paused, with neither setup nor teardown of its own. Then, in this order:
//!
//! 1. each task: [`Control::is_ready`] until it is; the task is ready;
//! 2. the leading task: [`Control::run_setup`], whose data go to the others: [`Control::put_setup`];
//! 3. each task, at the common start: [`Control::resume`];
//! 4. each engine ends by itself but that of the leading task, which stays until it is interrupted: there [`Control::ended`] tells the end;
//! 5. the leading task, after all others: [`Control::run_teardown`], then the launch's `Stop`; the exit code is that of the load.
//!
//! To stop early, the others are sent the launch's `Stop`, and the leading task [`Control::halt`], so that teardown still can run there.

use serde_json::Value;
use std::fmt::Debug;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

/// One task's way to its engine. Calls block; they belong on a thread where that may be.
pub trait Control: Debug + Send + Sync {
    /// Whether this is the task that runs setup and teardown, and whose engine waits for an interrupt at the end.
    fn leads(&self) -> bool;

    /// Whether setup is to be run, and its data shared.
    fn has_setup(&self) -> bool;

    /// Whether it is paused before the start. `false` too while it does not listen yet: what tells an engine that will never be ready
    /// is its process, or time.
    fn is_ready(&self) -> bool;

    /// How the load has ended, once it has; only the leading task's engine is still there to say so.
    fn ended(&self) -> Option<Phase>;

    /// Runs the script's setup; `None` if there is none, or if it returns nothing. `timeout` is how long to wait for it.
    ///
    /// # Errors
    /// [`ControlError::Function`] with the exception if setup throws: the run must not go on.
    fn run_setup(&self, timeout: Duration) -> Result<SetupData, ControlError>;

    /// Gives the engine what setup returned elsewhere.
    ///
    /// # Errors
    /// [`ControlError`].
    fn put_setup(&self, data: &SetupData) -> Result<(), ControlError>;

    /// Starts the load.
    ///
    /// # Errors
    /// [`ControlError`].
    fn resume(&self) -> Result<(), ControlError>;

    /// Ends the load before its time. The leading engine stays for [`Self::run_teardown`].
    ///
    /// # Errors
    /// [`ControlError`].
    fn halt(&self) -> Result<(), ControlError>;

    /// Runs the script's teardown with the data of setup.
    ///
    /// # Errors
    /// [`ControlError::Function`] with the exception if it throws.
    fn run_teardown(&self, timeout: Duration) -> Result<(), ControlError>;
}

/// What setup returned: JSON, or nothing.
pub type SetupData = Option<Value>;

/// How far an engine is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// VUs are being initialised.
    Starting,
    /// Waits for [`Control::resume`].
    Paused,
    /// The load goes on.
    Running,
    /// It is over, by its schedule as a rule.
    Over,
    /// It was ended before its time: by the script, or by [`Control::halt`].
    Interrupted,
}

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// Nothing came, or not in time.
    #[error("{call} of {engine} at {address}: {source}")]
    Io {
        /// Which call.
        call: &'static str,
        /// The engine's name.
        engine: &'static str,
        /// Where.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The script's own function could not be carried out: it threw, or took too long.
    #[error("{function}() failed: {problem}")]
    Function {
        /// `setup` or `teardown`.
        function: &'static str,
        /// The exception, its first line.
        problem: String,
    },
    /// The engine refuses.
    #[error("{call} of {engine} at {address}: status {status}: {detail}")]
    Refused {
        /// Which call.
        call: &'static str,
        /// The engine's name.
        engine: &'static str,
        /// Where.
        address: SocketAddr,
        /// The HTTP status.
        status: u16,
        /// What the engine says.
        detail: String,
    },
    /// No answer that the engine gives.
    #[error("{call} of {engine} at {address}: {problem}: is that port another program's?")]
    Answer {
        /// Which call.
        call: &'static str,
        /// The engine's name.
        engine: &'static str,
        /// Where.
        address: SocketAddr,
        /// What is wrong with it.
        problem: String,
        /// What found that out, if it was a parser.
        source: Option<serde_json::Error>,
    },
}
