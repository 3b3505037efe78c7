//! Why an engine cannot be asked or started.

use std::error::Error;
use std::path::{Path, PathBuf};

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
        /// What it was found by, if that was an error of its own.
        source: Option<Box<dyn Error + Send + Sync>>,
    },
    /// The engine is told what to send by a definition.
    #[error("the engine {engine} has no script")]
    NoScript {
        /// Its name.
        engine: &'static str,
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

impl LaunchError {
    /// A script that cannot be used.
    pub(crate) fn script(script: &str, problem: impl Into<String>) -> Self {
        Self::Script {
            script: script.to_owned(),
            problem: problem.into(),
            source: None,
        }
    }

    /// A script that cannot be used because of another error, whose text ends the problem.
    pub(crate) fn script_for(
        script: &str,
        problem: &str,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        let source = source.into();
        Self::Script {
            script: script.to_owned(),
            problem: format!("{problem}{source}"),
            source: Some(source),
        }
    }

    /// What a fault of a file becomes: for `map_err`.
    pub fn file(path: &Path) -> impl Fn(std::io::Error) -> Self + Copy {
        move |source| Self::File {
            path: path.to_owned(),
            source,
        }
    }
}
