//! Why somebody is not let in, and why a list of those who are cannot be used.

use std::io;
use std::path::PathBuf;

/// Why a token lets nobody in. None says what a right one would hold.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refused {
    /// There is none.
    #[error("send a token: authorization: Bearer TOKEN")]
    Missing,
    /// It is neither a token of the list's kind nor a JWT.
    #[error("the token cannot be read")]
    Malformed,
    /// The list doesn't have it.
    #[error("the token is not known here")]
    Unknown,
    /// It was valid once.
    #[error("the token has expired")]
    Expired,
    /// It would be valid for ever.
    #[error("the token says no end: it needs the claim exp")]
    Endless,
    /// It will be valid.
    #[error("the token is not valid yet")]
    NotYet,
    /// It is meant for somebody else.
    #[error("the token is not meant for this service: its audience is another one")]
    Audience,
    /// Nobody here trusts who made it.
    #[error("the token is of an issuer that is not known here")]
    Issuer,
    /// It is signed in a way that is not taken, or says something that must be understood and is not.
    #[error("the token is not signed with RS256 or ES256")]
    Algorithm,
    /// It was changed, or somebody else has signed it.
    #[error("the token's signature is not its issuer's")]
    Signature,
    /// Whoever it is, they may do nothing here.
    #[error("this identity has no role in any project here")]
    NoRole,
    /// Whether it is right cannot be found out now.
    #[error("the token cannot be checked now: {why}")]
    Unavailable {
        /// What stands in the way.
        why: String,
    },
}

impl Refused {
    /// Whether somebody has brought a token that is wrong, and not just none, or one that nobody can check now.
    pub(crate) fn is_failure(&self) -> bool {
        !matches!(self, Self::Missing | Self::Unavailable { .. })
    }
}

/// Why a file that says who is let in cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It cannot be read.
    #[error("read {}: {source}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// It cannot be written.
    #[error("write {}: {source}", .path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// It is no JSON of the right kind.
    #[error("{}: {source}", .path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        source: serde_json::Error,
    },
    /// It says something that makes no sense, or lets anybody in.
    #[error("{}: {place}: {problem}", .path.display())]
    Entry {
        /// The file.
        path: PathBuf,
        /// Where in it.
        place: String,
        /// What is wrong, and what to write instead.
        problem: String,
    },
}
