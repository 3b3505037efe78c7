//! Where results go.

use std::fmt;

/// A sink.
#[derive(Clone, PartialEq, Eq)]
pub struct ExportSpec {
    /// Its URL, without secrets.
    pub to: String,
    /// The password of the URL's user.
    pub password: Option<String>,
    /// A token.
    pub token: Option<String>,
}

/// Without what proves who writes.
impl fmt::Debug for ExportSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ExportSpec({})", self.to)
    }
}
