//! Whose sessions are resumed, certificates that webpki does not take, and the reasons of failed handshakes.

use super::server::{Server, wait_for_close};
use super::tls::{Authority, https, trusting, url};
use super::*;
use crate::exchange::ErrorCode;
use floodgate_core::definition::{ConnectionMode, HttpOptions, TlsResumption};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, KeyPair, date_time_ymd};
use rustls::client::danger::HandshakeSignatureValid;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, ServerConfig, SignatureScheme};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use std::sync::Arc;

/// Handshakes, and how many of them resumed, of three VUs with three connections each.
fn resumed(change: impl FnOnce(&mut HttpOptions)) -> (u64, u64, Vec<String>) {
    let authority = Authority::new();
    let server = https(authority.server("127.0.0.1", &["http/1.1"], None));
    let mut options = HttpOptions {
        reuse_across_iterations: false,
        ca: Some("ca".into()),
        ..HttpOptions::default()
    };
    change(&mut options);
    let options = TransportOptions::from(&options, |_| Ok(authority.pem())).unwrap();
    on_worker(options, async |worker| {
        let wire = wire(&worker, "GET", &url(&server));
        let mut clients: Vec<_> = (0..3).map(|_| client(&worker)).collect();
        for _ in 0..3 {
            for client in &mut clients {
                client.begin_iteration();
                assert_eq!(client.execute(&wire, NONE, LONG).await.error, None);
            }
        }
        let account = worker.connections();
        let whose = account
            .tls_resumption
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(account.opened, account.tls_handshakes);
        (account.tls_handshakes, account.tls_resumed, whose)
    })
}

#[test]
fn sessions_are_a_vus_own_unless_the_options_say_otherwise() {
    let own = |said| move |options: &mut HttpOptions| options.tls_resumption = said;
    // each VU's first connection is a stranger's, like that of a browser that was never there
    assert_eq!(
        resumed(own(Some(TlsResumption::PerVu))),
        (9, 6, vec!["per-vu".into()])
    );
    assert_eq!(
        resumed(own(Some(TlsResumption::Shared))),
        (9, 8, vec!["shared".into()])
    );
    assert_eq!(
        resumed(own(Some(TlsResumption::Never))),
        (9, 0, vec!["never".into()])
    );
    // a new iteration is a new user, if its connections are new
    assert_eq!(resumed(own(None)), (9, 0, vec!["per-vu".into()]));
    let no_keep_alive = |options: &mut HttpOptions| {
        (options.keep_alive, options.reuse_across_iterations) = (false, true);
    };
    assert_eq!(resumed(no_keep_alive), (9, 0, vec!["never".into()]));
    let asked = |options: &mut HttpOptions| {
        no_keep_alive(options);
        options.tls_resumption = Some(TlsResumption::PerVu);
    };
    assert_eq!(resumed(asked), (9, 6, vec!["per-vu".into()]));
    let pool = |options: &mut HttpOptions| options.connections = ConnectionMode::Shared;
    assert_eq!(resumed(pool).2, ["shared".to_owned()]);
}

/// A server's configuration with this certificate.
fn showing(chain: Vec<CertificateDer<'static>>, key: &KeyPair) -> Arc<ServerConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    Arc::new(config)
}

fn params(names: &[&str], authority: bool) -> CertificateParams {
    let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).unwrap();
    params
        .distinguished_name
        .push(DnType::CommonName, "127.0.0.1");
    if authority {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    }
    params
}

/// What a client that trusts `ca` comes to, and the reasons in words.
fn trusts(ca: &str, server: &Server) -> (Option<ErrorCode>, String) {
    let options = TransportOptions {
        ca: Some(ca.as_bytes().to_vec()),
        ..options()
    };
    on_worker(options, async |worker| {
        let wire = wire(&worker, "GET", &url(server));
        let exchange = client(&worker).execute(&wire, NONE, LONG).await;
        let faults = worker.connections().faults;
        let reasons: Vec<_> = faults.into_iter().map(|fault| fault.reason).collect();
        (exchange.error, reasons.join("|"))
    })
}

#[test]
fn a_certificate_that_is_named_itself_is_trusted() {
    for (names, authority) in [
        (&["127.0.0.1"][..], false),
        (&["127.0.0.1"], true),
        // by its common name alone
        (&[], true),
    ] {
        let key = KeyPair::generate().unwrap();
        let cert = params(names, authority).self_signed(&key).unwrap();
        let server = https(showing(vec![cert.der().clone()], &key));
        assert_eq!(
            trusts(&cert.pem(), &server).0,
            None,
            "{names:?} {authority}"
        );
        let other = Authority::new().pem();
        let stranger = trusts(std::str::from_utf8(&other).unwrap(), &server);
        assert_eq!(stranger.0, Some(ErrorCode::TlsCertificate));
    }
}

#[test]
fn a_named_certificate_still_has_to_be_of_the_name_and_in_its_time() {
    let show = |params: CertificateParams| {
        let key = KeyPair::generate().unwrap();
        let cert = params.self_signed(&key).unwrap();
        trusts(&cert.pem(), &https(showing(vec![cert.der().clone()], &key)))
    };
    let (error, why) = show(params(&["a.test"], true));
    assert_eq!(error, Some(ErrorCode::TlsCertificate));
    assert!(why.contains("for a.test, not for 127.0.0.1"), "{why}");
    let mut old = params(&["127.0.0.1"], true);
    old.not_after = date_time_ymd(2020, 1, 1);
    let (error, why) = show(old);
    assert_eq!(error, Some(ErrorCode::TlsCertificate));
    assert!(why.contains("expired"), "{why}");
    let mut early = params(&["127.0.0.1"], true);
    early.not_before = date_time_ymd(4000, 1, 1);
    assert!(show(early).1.contains("not valid yet"));
}

#[test]
fn an_authoritys_certificate_may_be_a_servers_if_a_named_one_vouches_for_it() {
    let root = Authority::new();
    let ca = String::from_utf8(root.pem()).unwrap();
    let key = KeyPair::generate().unwrap();
    let cert = params(&["127.0.0.1"], true)
        .signed_by(&key, &root.issuer)
        .unwrap();
    let server = https(showing(vec![cert.der().clone()], &key));
    assert_eq!(trusts(&ca, &server).0, None);
    // by a signature, not by a name: another authority is called the same
    let impostor = String::from_utf8(Authority::new().pem()).unwrap();
    assert_eq!(
        trusts(&impostor, &server).0,
        Some(ErrorCode::TlsCertificate)
    );
    // who is between has to be an authority
    let between = KeyPair::generate().unwrap();
    for (is_authority, expected) in [(true, None), (false, Some(ErrorCode::TlsCertificate))] {
        let mut params_between = params(&[], is_authority);
        params_between
            .distinguished_name
            .push(DnType::CommonName, "between");
        let middle = params_between.signed_by(&between, &root.issuer).unwrap();
        let issuer = rcgen::Issuer::new(params_between, &between);
        let leaf = params(&["127.0.0.1"], true)
            .signed_by(&key, &issuer)
            .unwrap();
        let chain = vec![leaf.der().clone(), middle.der().clone()];
        assert_eq!(trusts(&ca, &https(showing(chain, &key))).0, expected);
    }
}

#[test]
fn the_reason_says_what_is_wrong_and_whose_certificate_it_is() {
    let root = Authority::new();
    let ca = String::from_utf8(root.pem()).unwrap();
    let show = |params: CertificateParams| {
        let key = KeyPair::generate().unwrap();
        let cert = params.signed_by(&key, &root.issuer).unwrap();
        https(showing(vec![cert.der().clone()], &key))
    };
    let mut old = params(&["127.0.0.1"], false);
    old.not_after = date_time_ymd(2020, 1, 1);
    let (error, why) = trusts(&ca, &show(old));
    assert_eq!(error, Some(ErrorCode::TlsCertificate));
    assert!(why.contains("expired") && why.contains("2020"), "{why}");
    assert!(why.contains("subject \"CN=127.0.0.1\""), "{why}");
    let why = trusts(&ca, &show(params(&["a.test"], false))).1;
    assert!(why.contains("of another name: for a.test"), "{why}");
    let other = String::from_utf8(Authority::new().pem()).unwrap();
    let why = trusts(&other, &show(params(&["127.0.0.1"], false))).1;
    assert!(
        why.contains("issuer is unknown") && why.contains("issuer \""),
        "{why}"
    );
    let odd = Server::start(|_, mut stream| {
        std::io::Write::write_all(&mut stream, b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
        wait_for_close(&mut stream);
    });
    let (error, why) = trusts(&ca, &odd);
    assert_eq!(error, Some(ErrorCode::Tls));
    assert!(why.contains("corrupt"), "{why}");
}

/// Takes any client, and notes who it was.
#[derive(Debug)]
struct AnyClient(std::sync::Mutex<std::sync::mpsc::Sender<Vec<u8>>>);

impl ClientCertVerifier for AnyClient {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        self.0.lock().unwrap().send(end_entity.to_vec()).unwrap();
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ECDSA_NISTP256_SHA256]
    }
}

/// What `openssl x509 -req` made of a request, valid for a hundred years.
const V1_CERT: &[u8] = include_bytes!("v1/cert.pem");
const V1_KEY: &[u8] = include_bytes!("v1/key.pem");

#[test]
fn a_clients_certificate_may_be_of_x509_v1() {
    let authority = Authority::new();
    let (certificate, key) = authority.issue("127.0.0.1");
    let (seen, clients) = std::sync::mpsc::channel();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(Arc::new(AnyClient(seen.into())))
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        )
        .unwrap();
    let server = https(Arc::new(config));
    let with = |key: Vec<u8>| TransportOptions {
        cert: Some(V1_CERT.to_vec()),
        key: Some(key),
        ..trusting(&authority)
    };
    let (exchange, _) = get_with(with(V1_KEY.to_vec()), &url(&server));
    assert_eq!(exchange.error, None);
    assert!(!clients.recv().unwrap().is_empty());
    // it is compared with its key all the same
    let other = KeyPair::generate().unwrap().serialize_pem();
    let error = Worker::new(Clock::start(), &[with(other.into())]).unwrap_err();
    assert!(error.to_string().contains("KeyMismatch"), "{error}");
}
