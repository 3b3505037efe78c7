//! The client's certificate.

use super::super::options::SetupError;
use super::named;
use super::pem::{certificates, fault};
use rustls::crypto::CryptoProvider;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{Error, InconsistentKeys};
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject;
use std::sync::Arc;

/// The certificate chain and its key. rustls reads a certificate only to compare keys, and cannot read one of X.509 v1,
/// which OpenSSL's `x509 -req` makes unless it is told otherwise; so it is compared here.
pub(super) fn client(
    cert: &[u8],
    key: &[u8],
    provider: &CryptoProvider,
) -> Result<Arc<SingleCertAndKey>, SetupError> {
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| fault("key", error))?;
    let key = provider.key_provider.load_private_key(key)?;
    let chain = certificates("cert", cert)?;
    let first = chain.first().and_then(named::parse);
    let first = first.ok_or_else(|| SetupError::Pem {
        what: "cert",
        reason: "its first certificate is not an X.509 certificate".to_owned(),
        source: None,
    })?;
    if let Some(own) = key.public_key()
        && own.as_ref() != first.public_key().raw
    {
        return Err(Error::InconsistentKeys(InconsistentKeys::KeyMismatch).into());
    }
    Ok(Arc::new(SingleCertAndKey::from(CertifiedKey::new(
        chain, key,
    ))))
}
