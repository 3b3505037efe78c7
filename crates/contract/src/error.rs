//! What can be wrong with a document.

use floodgate_core::definition::Faults;
use std::fmt::{self, Display, Formatter};

/// Why a document cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ContractError {
    /// It is not JSON.
    #[error("{name}: {source}; check that the file is whole")]
    Json {
        /// What it is called.
        name: String,
        /// Why.
        source: serde_json::Error,
    },
    /// It is not YAML; names the file and the place.
    #[error(transparent)]
    Yaml(#[from] Faults),
    /// It is something else than OpenAPI 3.0 or 3.1.
    #[error("{name}: {problem}; {remedy}")]
    Unsupported {
        /// What it is called.
        name: String,
        /// What it is.
        problem: String,
        /// What to do.
        remedy: &'static str,
    },
    /// Parts of it cannot be used.
    #[error("{}", lines(.name, .faults))]
    Broken {
        /// What it is called.
        name: String,
        /// All of them.
        faults: Vec<Fault>,
    },
}

fn lines(name: &str, faults: &[Fault]) -> String {
    const SHOWN: usize = 20;
    let shown = faults.iter().take(SHOWN);
    let mut lines: Vec<_> = shown.map(|fault| format!("{name}: {fault}")).collect();
    if let Some(more) = faults.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        lines.push(format!("{name}: and {more} more"));
    }
    lines.join("\n")
}

/// Something wrong at a place in a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// A JSON pointer (RFC 6901) from the document's root.
    pub place: String,
    /// What is wrong there, and the remedy.
    pub problem: String,
}

impl Fault {
    pub(crate) fn at(place: impl Into<String>, problem: impl Into<String>) -> Self {
        Self {
            place: place.into(),
            problem: problem.into(),
        }
    }
}

impl Display for Fault {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "#{}: {}", self.place, self.problem)
    }
}
