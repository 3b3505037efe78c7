//! Why a source could not be converted.

use floodgate_core::definition::Faults;
use floodgate_records::printable::quoted;

/// Why there is no definition.
#[derive(Debug, thiserror::Error)]
pub enum ConvertError {
    /// The source could not be read to its end.
    #[error("the source cannot be read: {0}")]
    Read(#[source] std::io::Error),
    /// It is larger than any that is read.
    #[error("the source has more than {most} bytes; split it, or leave out what isn't needed")]
    TooLarge {
        /// The most bytes.
        most: usize,
    },
    /// Nothing tells what it is.
    #[error("this is neither a HAR, curl commands nor an OpenAPI document{hint}")]
    Unknown {
        /// What it looks like; may be empty.
        hint: String,
    },
    /// JSON that breaks off, or is none.
    #[error("{place}: {source}; {remedy}")]
    Json {
        /// Where.
        place: String,
        /// What the parser says.
        source: serde_json::Error,
        /// What to do.
        remedy: &'static str,
    },
    /// YAML with faults.
    #[error("{0}")]
    Yaml(#[source] Faults),
    /// A document of another shape or version than it should have.
    #[error("{what}; {remedy}")]
    Unsupported {
        /// What is wrong.
        what: String,
        /// What to do.
        remedy: String,
    },
    /// A curl command that cannot be taken apart.
    #[error("{place}: {problem}")]
    Command {
        /// Which command, and its line.
        place: String,
        /// What is wrong, and what to do.
        problem: String,
    },
    /// Hosts that were asked for and are not in the source.
    #[error("no request goes to {}; the hosts are {}", quoted(.asked), .there.join(", "))]
    NoSuchHost {
        /// The host.
        asked: String,
        /// Those that there are.
        there: Vec<String>,
    },
    /// Everything was left out.
    #[error("there is nothing to send: {why}")]
    Nothing {
        /// Why, and what to do.
        why: String,
    },
    /// A fault of this program.
    #[error(
        "the definition would not be valid, which is a fault of floodgate: please report it\n{0}"
    )]
    Unwritable(#[source] Faults),
}

impl ConvertError {
    pub(crate) fn unsupported(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::Unsupported {
            what: what.into(),
            remedy: remedy.into(),
        }
    }
}
