//! In the place of TLS where the crate is built without: types that have no values.

/// Which certificate a server shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {}

/// Why certificates could not be made.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {}

/// What a server has signed.
#[derive(Clone, Debug)]
pub enum Certificates {}

#[derive(Clone)]
pub(crate) enum Acceptor {}

impl Certificates {
    pub(crate) fn of(mode: Option<Mode>, _: bool) -> Result<Option<Self>, TlsError> {
        match mode {
            Some(mode) => match mode {},
            None => Ok(None),
        }
    }

    /// The authority's certificate, PEM.
    pub fn ca_pem(&self) -> &str {
        match *self {}
    }

    pub(crate) fn acceptor(&self) -> Acceptor {
        match *self {}
    }
}
