//! The TLS side of a transport: trust, client certificate, ALPN.

use super::options::{SetupError, TransportOptions};
use floodgate_core::definition::HttpVersion;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use std::sync::Arc;

/// The ALPN name of HTTP/2 (RFC 9113 §3.1).
pub(super) const ALPN_H2: &[u8] = b"h2";

/// The configuration of all TLS connections of a transport; sessions are resumed, as rustls does by default.
pub(super) fn client_config(options: &TransportOptions) -> Result<ClientConfig, SetupError> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()?;
    let builder = if options.insecure {
        builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Anyone(provider)))
    } else {
        builder.with_root_certificates(roots(options.ca.as_deref())?)
    };
    let mut config = match (&options.cert, &options.key) {
        (None, None) => builder.with_no_client_auth(),
        (Some(cert), Some(key)) => {
            let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| pem("key", &error))?;
            builder.with_client_auth_cert(certificates("cert", cert)?, key)?
        }
        _ => return Err(SetupError::Pair),
    };
    config.alpn_protocols = match options.version {
        HttpVersion::Auto => vec![ALPN_H2.to_vec(), b"http/1.1".to_vec()],
        HttpVersion::Http1 => vec![b"http/1.1".to_vec()],
        HttpVersion::Http2 => vec![ALPN_H2.to_vec()],
    };
    Ok(config)
}

fn roots(ca: Option<&[u8]>) -> Result<RootCertStore, SetupError> {
    let mut store = RootCertStore::empty();
    match ca {
        None => store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
        Some(bytes) => {
            for certificate in certificates("ca", bytes)? {
                store.add(certificate)?;
            }
        }
    }
    Ok(store)
}

fn certificates(
    what: &'static str,
    bytes: &[u8],
) -> Result<Vec<CertificateDer<'static>>, SetupError> {
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(bytes).collect();
    let all = all.map_err(|error| pem(what, &error))?;
    if all.is_empty() {
        return Err(SetupError::Pem {
            what,
            reason: "no certificate in it".to_owned(),
        });
    }
    Ok(all)
}

fn pem(what: &'static str, error: &rustls_pki_types::pem::Error) -> SetupError {
    SetupError::Pem {
        what,
        reason: error.to_string(),
    }
}

/// Trusts every certificate, as `insecure` asks for; signatures are still verified.
#[derive(Debug)]
struct Anyone(Arc<CryptoProvider>);

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(
            message,
            cert,
            signature,
            &self.0.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(
            message,
            cert,
            signature,
            &self.0.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
