//! Why a scenario cannot be made ready to run.

use crate::exchange::ErrorCode;
use crate::http::BadUrl;
use thiserror::Error;

/// A scenario that cannot be compiled, and where.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("scenario `{scenario}`, step `{step}`: {problem}")]
pub struct CompileError {
    /// The scenario's name.
    pub scenario: String,
    /// The request's name, or what kind of step it is.
    pub step: String,
    /// What is wrong.
    pub problem: Problem,
}

/// What is wrong with a step.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Problem {
    /// A variable that no step sets or extracts.
    #[error("variable `{0}` is not set or extracted by any step of the scenario")]
    UnknownVariable(String),
    /// A reference without a value.
    #[error("`{0}` has no value here; give it one")]
    Open(String),
    /// A data source that the definition does not have.
    #[error("there is no data source `{0}`; add it under `data`")]
    UnknownSource(String),
    /// A column that the file does not have.
    #[error("data source `{origin}` has no column `{column}`; it has {known}")]
    UnknownColumn {
        /// The data source.
        origin: String,
        /// The column that is missing.
        column: String,
        /// Those that are there.
        known: String,
    },
    /// A random integer from an empty range.
    #[error("randomInt({0},{1}) has no values; write the smaller bound first")]
    EmptyRange(i64, i64),
    /// A relative URL, and nothing to join it to.
    #[error(
        "url `{0}` is relative and the definition has no target; set `target` or write an absolute URL"
    )]
    NoTarget(String),
    /// Not a URL that can be requested.
    #[error(transparent)]
    BadUrl(#[from] BadUrl),
    /// Not an HTTP token.
    #[error("`{0}` is not a valid {1}; use letters, digits and !#$%&'*+-.^_`|~")]
    NotAToken(String, &'static str),
    /// A header value with control characters.
    #[error("the value of header `{0}` holds a line break or another control character; remove it")]
    BadHeaderValue(String),
    /// A file that was not loaded.
    #[error("file `{0}` was not loaded")]
    MissingFile(String),
    /// A text to look for that is too large to be compiled.
    #[error("check `{0}` looks for a text that is too long")]
    TextTooLong(String),
    /// More variables, columns or sources than slots.
    #[error("more than {0} variables, data sources or columns in one scenario")]
    TooMany(usize),
    /// The client cannot send it.
    #[error("the request cannot be sent: {}", .0.as_str())]
    Unsendable(ErrorCode),
}
