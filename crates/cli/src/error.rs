//! What a command can fail with, and the exit code of it.

use floodgate_control::ControlError;
use floodgate_control::load::LoadError;
use floodgate_records::printable::printable;
use floodgate_records::status::{EXIT_INVALID, Status};
use floodgate_store::StoreError;
use floodgate_store::json::JsonError;
use std::error::Error;
use std::path::PathBuf;

/// What went wrong: a sentence, or an error of another part.
pub(crate) type Cause = Box<dyn Error + Send + Sync>;

/// Why a command could not do what it was asked. A verdict that is not `passed` is none of these.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// Arguments that parse, and make no sense.
    #[error("{0}")]
    Usage(#[source] Cause),
    /// A definition with faults, rendered as a compiler would.
    #[error("{0}")]
    Definition(#[source] Cause),
    /// A file that the user named, or that has to be written.
    #[error("{operation} {}: {source}{}", shown(.path), advice(.remedy.as_deref()))]
    File {
        /// `read` or `write`.
        operation: &'static str,
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: Cause,
        /// What to do about it.
        remedy: Option<String>,
    },
    /// Something between preparation and end.
    #[error(transparent)]
    Control(#[from] ControlError),
    /// A generator, the demo's target or the terminal.
    #[error("{what}: {source}")]
    Run {
        /// What was attempted.
        what: String,
        /// What came of it.
        source: Cause,
    },
    /// A run that could be neither finished nor given up: its record says that it goes on.
    #[error(
        "{source}; the record of {id} could not be ended and still says `{status}`: when there is room again, \
         `floodgate abort {id}` merges what was measured{beside} and ends it"
    )]
    Unfinished {
        /// What went wrong first.
        source: Box<CliError>,
        /// The execution.
        id: String,
        /// What its record says.
        status: &'static str,
        /// Goes on: what lies beside the store.
        beside: String,
    },
    /// A run that was given up, with something left to merge.
    #[error(
        "{source}; {id} is errored: when there is room again, `floodgate show {id}` merges what was measured{beside}"
    )]
    Unmerged {
        /// What went wrong first.
        source: Box<CliError>,
        /// The execution.
        id: String,
        /// Goes on: what lies beside the store.
        beside: String,
    },
    /// A service on AWS, or a run in the cloud that ended without a verdict.
    #[error("{what}: {source}{}", advice(Some(.remedy.as_str()).filter(|r| !r.is_empty())))]
    Cloud {
        /// What was attempted.
        what: String,
        /// What came of it.
        source: Cause,
        /// What to do about it; may be empty.
        remedy: String,
        /// Whether the same may succeed later.
        temporary: bool,
        /// The exit code.
        code: u8,
    },
    /// A second signal to somebody who follows a run in the cloud.
    #[error("left by a second {signal}; execution {id} {}, floodgate attach {id} --cloud shows its end", if *.ordered { "was told to stop" } else { "goes on" })]
    Left {
        /// The signal's name.
        signal: &'static str,
        /// The run.
        id: String,
        /// Whether the order to stop was given.
        ordered: bool,
    },
    /// A second signal: nothing was merged.
    #[error("stopped at once by a second {signal}; what was measured lies unmerged in {}", .folder.display())]
    Interrupted {
        /// The signal's name.
        signal: &'static str,
        /// Where the shards are.
        folder: PathBuf,
    },
}

impl From<LoadError> for CliError {
    fn from(error: LoadError) -> Self {
        Self::definition(error)
    }
}

impl From<StoreError> for CliError {
    fn from(error: StoreError) -> Self {
        Self::Control(error.into())
    }
}

impl From<JsonError> for CliError {
    fn from(error: JsonError) -> Self {
        Self::Control(error.into())
    }
}

/// A path on one line: it may have any character but one.
fn shown(path: &std::path::Path) -> String {
    printable(&path.to_string_lossy()).into_owned()
}

fn advice(text: Option<&str>) -> String {
    text.map_or_else(String::new, |text| format!("; {text}"))
}

/// Results of commands.
pub type Result<T> = std::result::Result<T, CliError>;

impl CliError {
    /// See [`CliError::Usage`].
    pub fn usage(cause: impl Into<Cause>) -> Self {
        Self::Usage(cause.into())
    }

    /// See [`CliError::Definition`].
    pub fn definition(cause: impl Into<Cause>) -> Self {
        Self::Definition(cause.into())
    }

    /// Something that was attempted, and what came of it.
    pub fn run(what: impl Into<String>, cause: impl Into<Cause>) -> Self {
        Self::Run {
            what: what.into(),
            source: cause.into(),
        }
    }

    /// A file that cannot be read.
    pub fn read(path: impl Into<PathBuf>, cause: impl Into<Cause>, remedy: Option<String>) -> Self {
        Self::File {
            operation: "read",
            path: path.into(),
            source: cause.into(),
            remedy,
        }
    }

    /// A file that cannot be written.
    pub fn write(path: impl Into<PathBuf>, cause: impl Into<Cause>) -> Self {
        Self::File {
            operation: "write",
            path: path.into(),
            source: cause.into(),
            remedy: None,
        }
    }

    /// Whether the same may succeed later with nothing changed but time.
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Control(ControlError::Store(error)) => error.is_temporary(),
            Self::Cloud { temporary, .. } => *temporary,
            _ => false,
        }
    }

    /// The exit code: 104 where the user has to change what they wrote, 105 for an interruption, 97 for the rest.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_)
            | Self::Definition(_)
            | Self::File {
                operation: "read", ..
            } => EXIT_INVALID,
            Self::Control(
                ControlError::IdTaken { .. }
                | ControlError::UnknownExecution { .. }
                | ControlError::Tasks { .. }
                | ControlError::Ended { .. }
                | ControlError::NotABaseline { .. }
                | ControlError::Schedule { .. }
                | ControlError::Store(StoreError::BadKey { .. })
                | ControlError::Definition { .. },
            ) => EXIT_INVALID,
            Self::Cloud { code, .. } => *code,
            Self::Interrupted { .. } | Self::Left { .. } => Status::Aborted.exit_code(),
            Self::Control(_)
            | Self::File { .. }
            | Self::Run { .. }
            | Self::Unfinished { .. }
            | Self::Unmerged { .. } => Status::Errored.exit_code(),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn chain(error: &dyn Error) -> Vec<String> {
        let mut all = vec![error.to_string()];
        let mut at = error.source();
        while let Some(source) = at {
            all.push(source.to_string());
            at = source.source();
        }
        all
    }

    #[test]
    fn what_an_error_began_with_is_its_last_source_and_is_printed_once() {
        let json = || serde_json::from_str::<u8>("{").unwrap_err();
        let begins = json().to_string();
        let corrupt = || ControlError::Corrupt {
            key: "plan.json".into(),
            source: json().into(),
        };
        let unusable = ControlError::Definition {
            source: json().into(),
        };
        let cloud = CliError::Cloud {
            what: "start it".into(),
            source: json().into(),
            remedy: "try again".into(),
            temporary: true,
            code: 97,
        };
        for error in [
            CliError::usage(json()),
            CliError::definition(json()),
            CliError::read("a.yaml", json(), None),
            CliError::run("merge", corrupt()),
            corrupt().into(),
            unusable.into(),
            cloud,
            CliError::Unmerged {
                source: Box::new(corrupt().into()),
                id: "x".into(),
                beside: String::new(),
            },
        ] {
            let chain = chain(&error);
            assert_eq!(chain.last(), Some(&begins), "{error:?}");
            assert_eq!(chain[0].matches(&begins).count(), 1, "{error}");
        }
    }
}
