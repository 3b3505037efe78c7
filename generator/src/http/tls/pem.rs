//! Certificates out of PEM.

use super::super::options::SetupError;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::{self, PemObject};

/// The certificates of a file.
pub(super) fn certificates(
    what: &'static str,
    bytes: &[u8],
) -> Result<Vec<CertificateDer<'static>>, SetupError> {
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(bytes).collect();
    let all = all.map_err(|error| fault(what, error))?;
    if all.is_empty() {
        return Err(SetupError::Pem {
            what,
            reason: "no certificate in it".to_owned(),
            source: None,
        });
    }
    Ok(all)
}

/// A file that is no PEM.
pub(super) fn fault(what: &'static str, error: pem::Error) -> SetupError {
    SetupError::Pem {
        what,
        reason: error.to_string(),
        source: Some(error),
    }
}
