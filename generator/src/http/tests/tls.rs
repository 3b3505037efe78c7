//! TLS: whom the client trusts, what it offers, how it fails.

use super::http2::{H2Server, serve_h2};
use super::server::{Server, request};
use super::*;
use crate::exchange::ErrorCode;
use exchange::Version;
use floodgate_core::definition::{ConnectionMode, HttpVersion};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};
use rustls_pki_types::PrivateKeyDer;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// An authority that is trusted nowhere but here.
pub(super) struct Authority {
    pub(super) issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    pub(super) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self {
            issuer: CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap(),
        }
    }

    pub(super) fn pem(&self) -> Vec<u8> {
        self.issuer.pem().into_bytes()
    }

    pub(super) fn issue(&self, name: &str) -> (rcgen::Certificate, KeyPair) {
        let key = KeyPair::generate().unwrap();
        (
            CertificateParams::new(vec![name.to_owned()])
                .unwrap()
                .signed_by(&key, &self.issuer)
                .unwrap(),
            key,
        )
    }

    /// A server's configuration with a certificate for a name; `clients`: who must have issued the client's.
    pub(super) fn server(
        &self,
        name: &str,
        alpn: &[&str],
        clients: Option<&Self>,
    ) -> Arc<ServerConfig> {
        let (certificate, key) = self.issue(name);
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .unwrap();
        let builder = match clients {
            None => builder.with_no_client_auth(),
            Some(authority) => {
                let mut roots = RootCertStore::empty();
                roots.add(authority.issuer.der().clone()).unwrap();
                let verifier =
                    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
                        .build()
                        .unwrap();
                builder.with_client_cert_verifier(verifier)
            }
        };
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let mut config = builder
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        Arc::new(config)
    }
}

pub(super) fn https(config: Arc<ServerConfig>) -> Server {
    Server::start(move |_, stream| {
        let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
        let mut stream = StreamOwned::new(connection, stream);
        while request(&mut stream).is_some() {
            if stream
                .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
                .is_err()
            {
                return;
            }
        }
    })
}

pub(super) fn url(server: &Server) -> String {
    format!("https://{}/", server.address)
}

pub(super) fn trusting(authority: &Authority) -> TransportOptions {
    TransportOptions {
        ca: Some(authority.pem()),
        ..options()
    }
}

#[test]
fn a_trusted_server_is_talked_to_and_its_connection_kept() {
    let authority = Authority::new();
    let server = https(authority.server("127.0.0.1", &["http/1.1"], None));
    on_worker(trusting(&authority), async |worker| {
        let wire = wire(&worker, "GET", &url(&server));
        let mut client = client(&worker);
        let first = client.execute(&wire, ALL, LONG).await;
        assert_eq!(
            (first.error, first.version, client.response().body()),
            (None, Version::Http1, &b"ok"[..])
        );
        assert!(
            first.timings.tls > 0
                && first.timings.tls + first.timings.connecting <= first.timings.blocked
        );
        assert_eq!(first.sent, wire.bytes().len() as u64);
        let second = client.execute(&wire, ALL, LONG).await;
        assert_eq!(
            (second.error, second.timings.tls, server.accepted()),
            (None, 0, 1)
        );
    });
}

#[test]
fn names_are_verified_too() {
    let authority = Authority::new();
    let server = https(authority.server("localhost", &[], None));
    let of = |host: &str| {
        get_with(
            trusting(&authority),
            &format!("https://{host}:{}/", server.address.port()),
        )
        .0
        .error
    };
    assert_eq!(of("localhost"), None);
    assert_eq!(of("127.0.0.1"), Some(ErrorCode::TlsCertificate));
}

#[test]
fn an_unknown_authority_is_refused_unless_insecure() {
    let server = https(Authority::new().server("127.0.0.1", &[], None));
    let of = |options| get_with(options, &url(&server)).0.error;
    assert_eq!(of(options()), Some(ErrorCode::TlsCertificate));
    assert_eq!(
        of(trusting(&Authority::new())),
        Some(ErrorCode::TlsCertificate)
    );
    assert_eq!(
        of(TransportOptions {
            insecure: true,
            ..options()
        }),
        None
    );
}

#[test]
fn a_client_certificate_is_shown_when_there_is_one() {
    let (authority, clients) = (Authority::new(), Authority::new());
    let server = https(authority.server("127.0.0.1", &[], Some(&clients)));
    let with = |issuer: &Authority| {
        let (certificate, key) = issuer.issue("vu");
        let (cert, key) = (
            Some(certificate.pem().into_bytes()),
            Some(key.serialize_pem().into_bytes()),
        );
        get_with(
            TransportOptions {
                cert,
                key,
                ..trusting(&authority)
            },
            &url(&server),
        )
        .0
        .error
    };
    assert_eq!(with(&clients), None);
    // the server's alert may be overtaken by the end of its connection
    for error in [
        with(&Authority::new()),
        get_with(trusting(&authority), &url(&server)).0.error,
    ] {
        let expected = [
            ErrorCode::Tls,
            ErrorCode::ConnectionReset,
            ErrorCode::ConnectionClosed,
        ];
        assert!(expected.contains(&error.unwrap()), "{error:?}");
    }
}

#[test]
fn what_is_no_tls_is_a_tls_error() {
    let server = Server::start(|_, mut stream| {
        stream
            .write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            .unwrap();
        super::server::wait_for_close(&mut stream);
    });
    assert_eq!(get(&url(&server)).0.error, Some(ErrorCode::Tls));
    let server = Server::start(|_, stream| drop(stream));
    let error = get(&url(&server)).0.error;
    assert!(
        [ErrorCode::Tls, ErrorCode::ConnectionReset].contains(&error.unwrap()),
        "{error:?}"
    );
}

#[test]
fn alpn_chooses_the_version() {
    let authority = Authority::new();
    let both: H2Server = serve_h2(Some(authority.server(
        "127.0.0.1",
        &["h2", "http/1.1"],
        None,
    )));
    let of = |version, address| {
        let exchange = get_with(
            TransportOptions {
                version,
                ..trusting(&authority)
            },
            &format!("https://{address}/size/3"),
        )
        .0;
        (exchange.error, exchange.version)
    };
    assert_eq!(of(HttpVersion::Auto, both.address), (None, Version::Http2));
    assert_eq!(of(HttpVersion::Http2, both.address), (None, Version::Http2));
    let old = https(authority.server("127.0.0.1", &["http/1.1"], None));
    assert_eq!(of(HttpVersion::Auto, old.address), (None, Version::Http1));
    assert_eq!(of(HttpVersion::Http1, old.address), (None, Version::Http1));
    assert_eq!(of(HttpVersion::Http2, old.address).0, Some(ErrorCode::Tls));
    let silent = https(authority.server("127.0.0.1", &[], None));
    assert_eq!(
        of(HttpVersion::Http2, silent.address).0,
        Some(ErrorCode::Protocol)
    );
}

/// Nobody knows before the first handshake whether a connection can be shared by requests at once.
#[test]
fn a_shared_pool_finds_out_what_the_peer_speaks() {
    let authority = Authority::new();
    let at_once = |url: String| {
        let options = TransportOptions {
            connections: ConnectionMode::Shared,
            ..trusting(&authority)
        };
        on_worker(options, async |worker| {
            let tasks: Vec<_> = (0..4)
                .map(|_| {
                    let (mut client, wire) = (client(&worker), wire(&worker, "GET", &url));
                    tokio::task::spawn_local(async move { client.execute(&wire, NONE, LONG).await })
                })
                .collect();
            for task in tasks {
                let exchange = task.await.unwrap();
                assert_eq!((exchange.error, exchange.status), (None, 200));
            }
        });
    };
    let new = serve_h2(Some(authority.server(
        "127.0.0.1",
        &["h2", "http/1.1"],
        None,
    )));
    at_once(format!("https://{}/size/10", new.address));
    assert_eq!(new.accepted.load(Ordering::SeqCst), 1);
    let old = https(authority.server("127.0.0.1", &["http/1.1"], None));
    at_once(url(&old));
    assert!((1..=4).contains(&old.accepted()));
}

#[test]
fn damaged_certificates_are_told_before_any_load() {
    let of = |options: TransportOptions| {
        Worker::new(Clock::start(), &[options])
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        of(TransportOptions {
            ca: Some(b"x".to_vec()),
            ..options()
        }),
        "the ca is not valid PEM: no certificate in it"
    );
    let pem = Some(Authority::new().pem());
    assert!(
        of(TransportOptions {
            cert: pem.clone(),
            ..options()
        })
        .contains("belong together")
    );
    assert!(
        of(TransportOptions {
            cert: pem.clone(),
            key: pem,
            ..options()
        })
        .starts_with("the key is not valid PEM")
    );
    let named = HttpOptions {
        ca: Some("ca.pem".into()),
        ..HttpOptions::default()
    };
    let error =
        TransportOptions::from(&named, |_| Err(std::io::ErrorKind::NotFound.into())).unwrap_err();
    assert_eq!(error.to_string(), "cannot read \"ca.pem\"");
}
