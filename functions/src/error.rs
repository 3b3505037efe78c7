//! Why a function could not do its work, under the names that the state machine tells apart.

use floodgate_control::ControlError;
use floodgate_control::load::LoadError;
use floodgate_records::status::ERROR_INVALID;
use floodgate_store::StoreError;
use floodgate_store::json::JsonError;
use lambda_runtime::Diagnostic;
use std::error::Error;

/// Bytes of a message at most: a cause has 32,768 characters, and a quote or a line break in it takes more than one
/// (<https://docs.aws.amazon.com/step-functions/latest/apireference/API_ExecutionFailedEventDetails.html>).
const MAX_MESSAGE: usize = 16_000;

/// What went wrong: a sentence, or an error of another part.
pub type Cause = Box<dyn Error + Send + Sync>;

/// Why a function could not do its work.
#[derive(Debug, thiserror::Error)]
pub enum FunctionError {
    /// The test cannot be run by anybody: definition or input are wrong. Trying again is useless.
    #[error("{0}")]
    InvalidDefinition(#[source] Cause),
    /// A service asks for patience.
    #[error("{0}")]
    Throttled(#[source] Cause),
    /// Bucket or table did not answer as they should.
    #[error("{0}")]
    Storage(#[source] Cause),
    /// The service that runs tasks did not answer as it should.
    #[error("{0}")]
    Placement(#[source] Cause),
    /// A schedule's start that is left out: not a fault.
    #[error("{0}")]
    Skipped(#[source] Cause),
    /// One that waits for the end of the schedule's last run: not a fault either.
    #[error("{0}")]
    Waiting(#[source] Cause),
    /// Everything else: the run may not or cannot be carried out.
    #[error("{0}")]
    Errored(#[source] Cause),
}

/// Results of functions.
pub(crate) type Result<T> = std::result::Result<T, FunctionError>;

impl FunctionError {
    /// The names of all errors.
    pub const NAMES: [&'static str; 7] = [
        ERROR_INVALID,
        "Floodgate.Throttled",
        "Floodgate.Storage",
        "Floodgate.Placement",
        "Floodgate.Skipped",
        "Floodgate.Waiting",
        "Floodgate.Errored",
    ];

    /// See [`FunctionError::InvalidDefinition`].
    pub(crate) fn invalid(cause: impl Into<Cause>) -> Self {
        Self::InvalidDefinition(cause.into())
    }

    /// See [`FunctionError::Placement`].
    pub(crate) fn placement(cause: impl Into<Cause>) -> Self {
        Self::Placement(cause.into())
    }

    /// See [`FunctionError::Errored`].
    pub(crate) fn errored(cause: impl Into<Cause>) -> Self {
        Self::Errored(cause.into())
    }

    /// Whether something went wrong at all.
    pub(crate) const fn is_fault(&self) -> bool {
        !matches!(self, Self::Skipped(_) | Self::Waiting(_))
    }

    /// The name that the state machine sees.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::InvalidDefinition(_) => Self::NAMES[0],
            Self::Throttled(_) => Self::NAMES[1],
            Self::Storage(_) => Self::NAMES[2],
            Self::Placement(_) => Self::NAMES[3],
            Self::Skipped(_) => Self::NAMES[4],
            Self::Waiting(_) => Self::NAMES[5],
            Self::Errored(_) => Self::NAMES[6],
        }
    }
}

impl From<ControlError> for FunctionError {
    fn from(error: ControlError) -> Self {
        match error {
            ControlError::Store(error) => error.into(),
            error @ ControlError::Tasks { .. } => Self::invalid(error),
            error => Self::errored(error),
        }
    }
}

impl From<StoreError> for FunctionError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Throttled { .. } => Self::Throttled(error.into()),
            StoreError::Io { .. } | StoreError::Unavailable { .. } => Self::Storage(error.into()),
            error => Self::errored(error),
        }
    }
}

impl From<JsonError> for FunctionError {
    fn from(error: JsonError) -> Self {
        ControlError::from(error).into()
    }
}

impl From<LoadError> for FunctionError {
    fn from(error: LoadError) -> Self {
        Self::invalid(error)
    }
}

impl From<FunctionError> for Diagnostic {
    fn from(error: FunctionError) -> Self {
        Self {
            error_type: error.name().to_owned(),
            error_message: bounded(error.to_string(), MAX_MESSAGE),
        }
    }
}

/// A text cut at a character, with a word about it.
pub(crate) fn bounded(mut text: String, most: usize) -> String {
    if text.len() > most {
        let end = (0..=most).rev().find(|&i| text.is_char_boundary(i));
        text.truncate(end.unwrap_or(0));
        text.push_str("\n… (cut off)");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_list_of_faults_is_cut_at_a_character() {
        let diagnostic: Diagnostic = FunctionError::invalid("ä".repeat(20_000)).into();
        assert_eq!(diagnostic.error_type, "Floodgate.InvalidDefinition");
        assert!(diagnostic.error_message.len() < MAX_MESSAGE + 40);
        assert!(diagnostic.error_message.ends_with("ä\n… (cut off)"));
    }

    #[test]
    fn only_what_may_pass_is_tried_again() {
        let io = |e: StoreError| FunctionError::from(ControlError::from(e)).name();
        assert_eq!(
            io(StoreError::Io {
                operation: "read",
                key: "x".into(),
                source: std::io::Error::other("slow down")
            }),
            "Floodgate.Storage"
        );
        assert_eq!(
            io(StoreError::NotFound { what: "x".into() }),
            "Floodgate.Errored"
        );
    }
}
