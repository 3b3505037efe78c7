//! Certificates made at start-up, and the TLS faults that are made of certificates.

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose, date_time_ymd,
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use std::sync::Arc;
pub(crate) use tokio_rustls::TlsAcceptor as Acceptor;
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{self, RootCertStore, ServerConfig, crypto::ring};

/// Which certificate a server shows, and what it asks of its clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// For `localhost` and `127.0.0.1`, signed by [`Certificates::ca_pem`].
    Valid,
    /// For the right names, but signed by itself.
    SelfSigned,
    /// Signed by the authority, for the right names, until 2 January 2020.
    Expired,
    /// Signed by the authority, for `elsewhere.example`.
    WrongName,
    /// Valid, and a client must show a certificate of the same authority ([`Certificates::client_cert_pem`]).
    ClientCertificate,
}

/// Why certificates could not be made.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// Generating or signing failed.
    #[error("make a certificate: {0}")]
    Certificate(#[from] rcgen::Error),
    /// The TLS library refused what was made.
    #[error("set up tls: {0}")]
    Config(#[from] rustls::Error),
    /// The authority cannot be used to verify clients.
    #[error("set up client verification: {0}")]
    Verifier(#[from] rustls::server::VerifierBuilderError),
}

/// The authority of one server and what it has signed. New for every server, kept in memory only.
#[derive(Clone, Debug)]
pub struct Certificates {
    ca_pem: String,
    client_cert_pem: String,
    client_key_pem: String,
    server: Arc<ServerConfig>,
}

impl Certificates {
    /// Those that a server needs, with or without HTTP/2.
    pub(crate) fn of(mode: Option<Mode>, http2: bool) -> Result<Option<Self>, TlsError> {
        mode.map(|mode| Self::new(mode, alpn(http2))).transpose()
    }

    /// Makes an authority, a server's certificate after `mode`, and a client's; `alpn` in order of preference.
    fn new(mode: Mode, alpn: &[&[u8]]) -> Result<Self, TlsError> {
        let ca = authority()?;
        let key = KeyPair::generate()?;
        let chain = if mode == Mode::SelfSigned {
            server_params(mode)?.self_signed(&key)?
        } else {
            server_params(mode)?.signed_by(&key, &ca)?
        };
        let client_key = KeyPair::generate()?;
        let client = client_params()?.signed_by(&client_key, &ca)?;

        let provider = Arc::new(ring::default_provider());
        let builder = ServerConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()?;
        let builder = if mode == Mode::ClientCertificate {
            let mut roots = RootCertStore::empty();
            roots.add(ca.der().clone())?;
            let verifier =
                WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build()?;
            builder.with_client_cert_verifier(verifier)
        } else {
            builder.with_no_client_auth()
        };
        let mut server = builder.with_single_cert(vec![chain.der().clone()], private_key(&key))?;
        server.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
        Ok(Self {
            ca_pem: ca.pem(),
            client_cert_pem: client.pem(),
            client_key_pem: client_key.serialize_pem(),
            server: Arc::new(server),
        })
    }

    /// The authority's certificate, PEM.
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// A client's certificate that [`Mode::ClientCertificate`] accepts, PEM.
    pub fn client_cert_pem(&self) -> &str {
        &self.client_cert_pem
    }

    /// The key to [`Certificates::client_cert_pem`], PKCS #8 PEM.
    pub fn client_key_pem(&self) -> &str {
        &self.client_key_pem
    }

    pub(crate) fn acceptor(&self) -> Acceptor {
        self.server.clone().into()
    }
}

/// The protocols to offer in the handshake, best first.
fn alpn(http2: bool) -> &'static [&'static [u8]] {
    if http2 {
        &[b"h2", b"http/1.1"]
    } else {
        &[b"http/1.1"]
    }
}

fn authority() -> Result<CertifiedIssuer<'static, KeyPair>, rcgen::Error> {
    let mut params = CertificateParams::new(Vec::new())?;
    params
        .distinguished_name
        .push(DnType::CommonName, "floodgate test authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![
        KeyUsagePurpose::KeyCertSign,
        KeyUsagePurpose::DigitalSignature,
    ];
    CertifiedIssuer::self_signed(params, KeyPair::generate()?)
}

fn server_params(mode: Mode) -> Result<CertificateParams, rcgen::Error> {
    let names: &[&str] = if mode == Mode::WrongName {
        &["elsewhere.example"]
    } else {
        &["localhost", "127.0.0.1"]
    };
    let mut params = CertificateParams::new(
        names
            .iter()
            .map(|&name| name.to_owned())
            .collect::<Vec<_>>(),
    )?;
    params
        .distinguished_name
        .push(DnType::CommonName, "floodgate target");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    if mode == Mode::Expired {
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2020, 1, 2);
    }
    Ok(params)
}

fn client_params() -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(Vec::new())?;
    params
        .distinguished_name
        .push(DnType::CommonName, "floodgate client");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    Ok(params)
}

fn private_key(key: &KeyPair) -> PrivateKeyDer<'static> {
    PrivatePkcs8KeyDer::from(key.serialize_der()).into()
}

/// The authority's certificate as DER, for a client's root store.
///
/// # Errors
/// If `pem` holds no certificate.
pub fn certificate_from_pem(
    pem: &str,
) -> Result<CertificateDer<'static>, rustls_pki_types::pem::Error> {
    use rustls_pki_types::pem::PemObject;
    CertificateDer::from_pem_slice(pem.as_bytes())
}
