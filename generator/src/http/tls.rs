//! The TLS side of a transport: trust, client certificate, ALPN, and whose sessions are resumed.

mod identity;
mod named;
mod pem;
pub(super) mod reason;
mod sessions;
mod verify;

use super::options::{SetupError, TransportOptions};
use floodgate_core::definition::{HttpVersion, TlsResumption};
use rustls::ClientConfig;
use rustls::client::Resumption;
use rustls::crypto::ring;
use sessions::Sessions;
use std::sync::Arc;
use verify::Verifier;

/// The ALPN name of HTTP/2 (RFC 9113 §3.1).
pub(super) const ALPN_H2: &[u8] = b"h2";

/// What all TLS connections of a transport have in common.
#[derive(Debug)]
pub(super) struct Tls {
    /// For all VUs, unless each has its own sessions.
    config: Arc<ClientConfig>,
    verifier: Arc<Verifier>,
    pub(super) resumption: TlsResumption,
}

impl Tls {
    pub(super) fn new(options: &TransportOptions) -> Result<Self, SetupError> {
        let provider = Arc::new(ring::default_provider());
        let verifier = Verifier::new(options, &provider)?;
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(Arc::clone(&verifier) as _);
        let mut config = match (&options.cert, &options.key) {
            (None, None) => builder.with_no_client_auth(),
            (Some(cert), Some(key)) => {
                builder.with_client_cert_resolver(identity::client(cert, key, &provider)?)
            }
            _ => return Err(SetupError::Pair),
        };
        config.alpn_protocols = match options.version {
            HttpVersion::Auto => vec![ALPN_H2.to_vec(), b"http/1.1".to_vec()],
            HttpVersion::Http1 => vec![b"http/1.1".to_vec()],
            HttpVersion::Http2 => vec![ALPN_H2.to_vec()],
        };
        // rustls' own default is one store for all that use the configuration
        if options.tls_resumption != TlsResumption::Shared {
            config.resumption = Resumption::disabled();
        }
        Ok(Self {
            config: Arc::new(config),
            verifier,
            resumption: options.tls_resumption,
        })
    }

    /// The configuration for a VU's next connection; `own` keeps the one that it has for itself, made at its first
    /// handshake: a few hundred bytes and what [`Sessions`] holds.
    pub(super) fn config(&self, own: &mut Option<Arc<ClientConfig>>) -> Arc<ClientConfig> {
        if self.resumption != TlsResumption::PerVu {
            return Arc::clone(&self.config);
        }
        Arc::clone(own.get_or_insert_with(|| {
            let mut config = ClientConfig::clone(&self.config);
            config.resumption = Resumption::store(Arc::new(Sessions::default()));
            Arc::new(config)
        }))
    }

    /// Why the handshake failed that has just failed.
    pub(super) fn why(&self, error: &std::io::Error) -> String {
        self.verifier
            .why()
            .unwrap_or_else(|| reason::plain(&error.to_string()))
    }
}
