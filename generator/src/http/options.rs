//! What the options of the engine say about transport.

use super::proxy::ProxyVariables;
use floodgate_core::definition::{
    ConnectionMode, HostOverride, HttpOptions, HttpVersion, ProxyChoice, TlsResumption,
};
use floodgate_core::targets::Targets;
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// The index of [`TransportOptions`] in the list that a worker was made with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TransportId(pub u16);

/// The part of [`HttpOptions`] that connections depend on, with files already read.
#[derive(Clone, PartialEq, Eq)]
pub struct TransportOptions {
    /// Versions to offer.
    pub version: HttpVersion,
    /// Who owns connections.
    pub connections: ConnectionMode,
    /// Whether connections outlive a request.
    pub keep_alive: bool,
    /// Whether a VU's connections outlive an iteration.
    pub reuse_across_iterations: bool,
    /// For all addresses of a name together; never longer than the request's time-out.
    pub connect_timeout: Duration,
    /// The largest response body, after decompression if it is kept.
    pub max_body_bytes: u64,
    /// Whether `Set-Cookie` is taken in.
    pub cookies: bool,
    /// Skip the verification of certificates.
    pub insecure: bool,
    /// PEM: authorities to trust instead of the bundled ones.
    pub ca: Option<Vec<u8>>,
    /// PEM: the client's certificate chain.
    pub cert: Option<Vec<u8>>,
    /// PEM: the client's private key.
    pub key: Option<Vec<u8>>,
    /// Whose TLS sessions are resumed.
    pub tls_resumption: TlsResumption,
    /// Whether a VU's TLS sessions end with its iteration, since its connections do.
    pub sessions_per_iteration: bool,
    /// The definition's proxy.
    pub proxy: Option<ProxyChoice>,
    /// The environment's proxies.
    pub variables: ProxyVariables,
    /// Addresses in place of what names resolve to.
    pub hosts: Vec<HostOverride>,
    /// Where all connections go.
    pub unix_socket: Option<String>,
    /// What may be connected to.
    pub targets: Arc<Targets>,
}

impl TransportOptions {
    /// From the engine's options; `load` reads a file that they name.
    ///
    /// # Errors
    /// The file that cannot be read.
    pub fn from(
        options: &HttpOptions,
        mut load: impl FnMut(&str) -> io::Result<Vec<u8>>,
    ) -> Result<Self, SetupError> {
        let mut read = |path: &Option<String>| match path {
            None => Ok(None),
            Some(path) => match load(path) {
                Ok(bytes) => Ok(Some(bytes)),
                Err(source) => Err(SetupError::Read {
                    path: path.clone(),
                    source,
                }),
            },
        };
        Ok(Self {
            version: options.version,
            connections: options.connections,
            keep_alive: options.keep_alive,
            reuse_across_iterations: options.reuse_across_iterations,
            connect_timeout: options.connect_timeout,
            max_body_bytes: options.max_body_bytes,
            cookies: options.cookies,
            insecure: options.insecure,
            ca: read(&options.ca)?,
            cert: read(&options.cert)?,
            key: read(&options.key)?,
            tls_resumption: options.resumption(),
            sessions_per_iteration: !options.reuse_across_iterations
                && options.tls_resumption.is_none(),
            proxy: options.proxy.clone(),
            variables: ProxyVariables::default(),
            hosts: options.hosts.clone(),
            unix_socket: options.unix_socket.clone(),
            targets: Arc::default(),
        })
    }
}

impl std::fmt::Debug for TransportOptions {
    /// Without the key.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("TransportOptions")
            .field("version", &self.version)
            .field("connections", &self.connections)
            .field("keep_alive", &self.keep_alive)
            .field("reuse_across_iterations", &self.reuse_across_iterations)
            .field("connect_timeout", &self.connect_timeout)
            .field("max_body_bytes", &self.max_body_bytes)
            .field("cookies", &self.cookies)
            .field("insecure", &self.insecure)
            .field("ca", &self.ca.is_some())
            .field("cert", &self.cert.is_some())
            .field("tls_resumption", &self.tls_resumption)
            .field("hosts", &self.hosts)
            .field("unix_socket", &self.unix_socket)
            .field("targets", &self.targets)
            .finish_non_exhaustive()
    }
}

/// Why a worker cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// A file of certificates or keys cannot be read.
    #[error("cannot read {path:?}")]
    Read {
        /// The file, as the definition names it.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// A file has no certificate or key in it, or damaged ones.
    #[error("the {what} is not valid PEM: {reason}")]
    Pem {
        /// `ca`, `cert` or `key`.
        what: &'static str,
        /// Why.
        reason: String,
        /// What the parser said, if it was that.
        source: Option<rustls_pki_types::pem::Error>,
    },
    /// A certificate without its key, or the other way round.
    #[error("`cert` and `key` belong together: give both or none")]
    Pair,
    /// rustls refuses the configuration.
    #[error("tls configuration refused: {0}")]
    Tls(#[from] rustls::Error),
}
