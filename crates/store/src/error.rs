//! Why a store could not do what it was asked.

use floodgate_records::status::Status;
use std::error::Error;
use std::io::ErrorKind;

/// Why a store could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There was something already where something new was to be.
    #[error("{key}: exists already")]
    Exists {
        /// The object's key or the record's id.
        key: String,
    },
    /// A record is not in the state that a change starts from.
    #[error("execution {id}: is {found:?}, not one of {expected:?}")]
    Conflict {
        /// The execution.
        id: String,
        /// Its state.
        found: Status,
        /// The states from which the change is allowed.
        expected: Vec<Status>,
    },
    /// There is no such record.
    #[error("{what}: not found")]
    NotFound {
        /// What was looked for.
        what: String,
    },
    /// Several records have an id that starts so.
    #[error("{executions} executions start with {start}: give more characters")]
    Ambiguous {
        /// What was given.
        start: String,
        /// How many there are.
        executions: usize,
    },
    /// A key or an id that would leave the store's folder, or is not printable.
    #[error("{key:?} is not a valid name: it {problem}")]
    BadKey {
        /// The key.
        key: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// Something stored cannot be read back, or something to be stored could not be.
    #[error("{key}: {problem}")]
    Corrupt {
        /// The object or record.
        key: String,
        /// What is wrong with it.
        problem: String,
        /// What it was found by, if that was an error of its own.
        source: Option<Box<dyn Error + Send + Sync>>,
    },
    /// More than the store takes in one piece.
    #[error("{key}: {bytes} bytes, of which the store takes {limit} at most; {remedy}")]
    TooLarge {
        /// The object or record.
        key: String,
        /// Its size in bytes.
        bytes: u64,
        /// The largest size in bytes.
        limit: u64,
        /// What to do about it.
        remedy: &'static str,
    },
    /// The operating system refused.
    #[error("{operation} {key}: {source}")]
    Io {
        /// `write`, `read`, `list`, `delete`.
        operation: &'static str,
        /// The object or record.
        key: String,
        /// What was reported.
        source: std::io::Error,
    },
    /// The service asks for fewer requests, and did so to every retry: temporary.
    #[error("{operation} {key}: throttled: {message} ({code})")]
    Throttled {
        /// `write`, `read`, `list`, `delete`, …
        operation: &'static str,
        /// The object or record.
        key: String,
        /// The service's code.
        code: String,
        /// The service's message.
        message: String,
    },
    /// The service was not reached, did not answer in time or failed on its own side, at every retry: temporary.
    #[error("{operation} {key}: {source}")]
    Unavailable {
        /// `write`, `read`, `list`, `delete`, …
        operation: &'static str,
        /// The object or record.
        key: String,
        /// What was seen of it.
        source: Cause,
    },
    /// The credentials do not allow it, or there are none.
    #[error("{operation} {key}: denied: {message} ({code}); {remedy}")]
    Denied {
        /// `write`, `read`, `list`, `delete`, …
        operation: &'static str,
        /// The object or record.
        key: String,
        /// The service's code.
        code: String,
        /// The service's message.
        message: String,
        /// What to do about it.
        remedy: &'static str,
    },
    /// The service refused for a reason that a retry does not cure, such as a bucket that does not exist.
    #[error("{operation} {key}: refused: {message} ({code}); {remedy}")]
    Refused {
        /// `write`, `read`, `list`, `delete`, …
        operation: &'static str,
        /// The object or record.
        key: String,
        /// The service's code.
        code: String,
        /// The service's message.
        message: String,
        /// What to do about it.
        remedy: &'static str,
    },
}

/// A sentence, or an error of a client; its causes are in its message.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Results of stores.
pub type Result<T> = std::result::Result<T, StoreError>;

impl StoreError {
    /// Something that does not hold what it should.
    pub(crate) fn corrupt(key: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Corrupt {
            key: key.into(),
            problem: problem.into(),
            source: None,
        }
    }

    /// The same, found by `error`.
    pub(crate) fn because(mut self, error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        if let Self::Corrupt { source, .. } = &mut self {
            *source = Some(error.into());
        }
        self
    }

    /// Whether the same request may succeed later with nothing changed but time.
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Throttled { .. } | Self::Unavailable { .. } => true,
            Self::Io { source, .. } => matches!(
                source.kind(),
                ErrorKind::TimedOut
                    | ErrorKind::Interrupted
                    | ErrorKind::WouldBlock
                    | ErrorKind::ConnectionRefused
                    | ErrorKind::ConnectionReset
                    | ErrorKind::ConnectionAborted
                    | ErrorKind::BrokenPipe
                    | ErrorKind::UnexpectedEof
                    | ErrorKind::HostUnreachable
                    | ErrorKind::NetworkUnreachable
                    | ErrorKind::NetworkDown
            ),
            _ => false,
        }
    }
}
