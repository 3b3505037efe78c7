//! Whom TLS trusts: Mozilla's roots, and those in the file that `SSL_CERT_FILE` names, as a company's own.

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use std::sync::Arc;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::{ClientConfig, Error, RootCertStore};

/// The variable that names a file of certificates to trust, in PEM, as OpenSSL has it.
const CERTIFICATES: &str = "SSL_CERT_FILE";

/// The certificates that are trusted beside Mozilla's; what cannot be read is left out, and then trusted by nobody.
pub(crate) fn own_roots() -> Vec<CertificateDer<'static>> {
    let Some(path) = std::env::var_os(CERTIFICATES) else {
        return Vec::new();
    };
    let read = CertificateDer::pem_file_iter(path);
    read.map_or_else(|_| Vec::new(), |all| all.flatten().collect())
}

/// TLS for requests.
pub(crate) fn client() -> Result<Arc<ClientConfig>, Error> {
    let mut roots: RootCertStore = webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect();
    roots.add_parsable_certificates(own_roots());
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()));
    let config = config.with_safe_default_protocol_versions()?;
    Ok(Arc::new(
        config.with_root_certificates(roots).with_no_client_auth(),
    ))
}
