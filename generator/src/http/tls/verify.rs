//! Whom a transport believes to be the server, and why not.

use super::super::options::{SetupError, TransportOptions};
use super::pem::certificates;
use super::{named, reason};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
    verify_tls13_signature_with_raw_key,
};
use rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, SubjectPublicKeyInfoDer, UnixTime};
use std::sync::{Arc, Mutex, PoisonError};

/// Verifies certificates, and remembers what was wrong with the last one.
#[derive(Debug)]
pub(in crate::http) struct Verifier {
    trust: Trust,
    algorithms: WebPkiSupportedAlgorithms,
    why: Mutex<Option<String>>,
}

#[derive(Debug)]
enum Trust {
    /// As `insecure` asks for; signatures are still verified.
    Anyone,
    Roots {
        /// `None` if webpki can use no certificate of `ca` as an authority.
        webpki: Option<Arc<WebPkiServerVerifier>>,
        /// What `ca` names; empty for the bundled authorities.
        named: Vec<CertificateDer<'static>>,
    },
}

impl Verifier {
    pub(super) fn new(
        options: &TransportOptions,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Arc<Self>, SetupError> {
        let trust = match &options.ca {
            _ if options.insecure => Trust::Anyone,
            None => {
                let roots = webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect();
                Trust::Roots {
                    webpki: Some(webpki(roots, provider)?),
                    named: Vec::new(),
                }
            }
            Some(pem) => {
                let named = certificates("ca", pem)?;
                let mut roots = RootCertStore::empty();
                for certificate in &named {
                    // what webpki cannot use may still be the very certificate that a server shows
                    if let Err(error) = roots.add(certificate.clone())
                        && named::parse(certificate).is_none()
                    {
                        return Err(error.into());
                    }
                }
                let webpki = (!roots.is_empty()).then(|| webpki(roots, provider));
                Trust::Roots {
                    webpki: webpki.transpose()?,
                    named,
                }
            }
        };
        Ok(Arc::new(Self {
            trust,
            algorithms: provider.signature_verification_algorithms,
            why: Mutex::default(),
        }))
    }

    /// What was wrong with the last certificate that was refused, once: whoever is told of the refusal asks at once, and
    /// a transport's handshakes are on one thread.
    pub(in crate::http) fn why(&self) -> Option<String> {
        self.why
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }
}

fn webpki(
    roots: RootCertStore,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<WebPkiServerVerifier>, SetupError> {
    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider))
        .build()
        .map_err(|error| SetupError::Tls(Error::General(error.to_string())))
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Trust::Roots { webpki, named } = &self.trust else {
            return Ok(ServerCertVerified::assertion());
        };
        let verified = match webpki {
            Some(webpki) => webpki.verify_server_cert(
                end_entity,
                intermediates,
                server_name,
                ocsp_response,
                now,
            ),
            None => Err(CertificateError::UnknownIssuer.into()),
        };
        let verified = verified.or_else(|refused| {
            named::verify(end_entity, intermediates, server_name, named, now, refused)
                .map(|()| ServerCertVerified::assertion())
        });
        if let Err(error) = &verified {
            *self.why.lock().unwrap_or_else(PoisonError::into_inner) =
                Some(reason::of_certificate(error, end_entity, server_name));
        }
        verified
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, signature, &self.algorithms).or_else(|error| {
            // webpki does not read certificates of X.509 v1, but their keys are like all others
            let Some(old) = named::parse(cert).filter(|cert| cert.version().0 == 0) else {
                return Err(error);
            };
            let key = SubjectPublicKeyInfoDer::from(old.public_key().raw);
            verify_tls13_signature_with_raw_key(message, &key, signature, &self.algorithms)
        })
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
