//! What a client sees of each fault.
#![allow(clippy::unwrap_used)]

mod support;

use floodgate_testserver::faulty::{Answer, OnConnect, RefusingPort, Script};
use floodgate_testserver::{Config, TestServer, tls};
use std::io::ErrorKind;
use std::net::TcpStream;
use std::time::{Duration, Instant};
use support::{Client, client_config, runtime, tls_connect};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const GET: &[u8] = b"GET /x HTTP/1.1\r\nhost: t\r\n\r\n";
const GOOD: &str = "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\ngood";

/// Everything that one request gets until the connection ends.
fn all_of(answer: Answer) -> (String, Option<ErrorKind>, u64) {
    let target = TestServer::start(Config::faulty(Script::always(answer))).unwrap();
    let mut client = Client::connect(target.addr());
    client.send(GET);
    let (bytes, error) = client.rest();
    (
        String::from_utf8(bytes).unwrap(),
        error,
        target.counters().requests(),
    )
}

#[test]
fn answers_that_end_the_connection() {
    let reset = Some(ErrorKind::ConnectionReset);
    assert_eq!(all_of(Answer::Close), (String::new(), None, 1));
    assert_eq!(all_of(Answer::Reset), (String::new(), reset, 1));
    assert_eq!(
        all_of(Answer::HalfHead),
        ("HTTP/1.1 200 OK\r\ncontent-le".into(), None, 1)
    );
    assert_eq!(
        all_of(Answer::HalfBody),
        (GOOD[..GOOD.len() - 2].into(), None, 1)
    );
    assert_eq!(all_of(Answer::HalfBodyReset).1, reset);
    assert_eq!(
        all_of(Answer::Http10),
        ("HTTP/1.0 200 OK\r\n\r\ngood".into(), None, 1)
    );
    assert_eq!(all_of(Answer::CloseSilently), (GOOD.into(), None, 1));
    assert!(
        all_of(Answer::CloseAfter)
            .0
            .contains("connection: close\r\n")
    );
    let cut = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\ngood\r\n";
    assert_eq!(all_of(Answer::ChunkCut), (cut.into(), None, 1));
    assert_eq!(
        all_of(Answer::RawThenClose(b"?".to_vec())),
        ("?".into(), None, 1)
    );
}

#[test]
fn answers_that_keep_the_connection_are_followed_by_the_next() {
    let odd = [
        (Answer::Status(503), "HTTP/1.1 503 "),
        (
            Answer::HugeHeader(100_000),
            "HTTP/1.1 200 OK\r\nx-huge: hhh",
        ),
        (
            Answer::ManyHeaders(300),
            "HTTP/1.1 200 OK\r\nx-many: 1\r\nx-many",
        ),
        (
            Answer::LengthTooShort,
            "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\ngood",
        ),
        (
            Answer::LengthInvalid,
            "HTTP/1.1 200 OK\r\ncontent-length: four\r\n",
        ),
        (
            Answer::LengthTwice,
            "HTTP/1.1 200 OK\r\ncontent-length: 4\r\ncontent-length: 3\r\n",
        ),
        (
            Answer::ChunkSizeInvalid,
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        ),
        (
            Answer::ChunkSizeOverflow,
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffff0\r\n",
        ),
        (
            Answer::ChunkTooLong,
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\ngood\r\n",
        ),
        (
            Answer::Chunked,
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\ng\r\n2;x=y\r\noo",
        ),
        (Answer::StatusLineInvalid, "SPDY/9 fine\r\n"),
        (Answer::StatusCodeInvalid, "HTTP/1.1 2xx OK\r\n"),
        (
            Answer::HeaderInvalid,
            "HTTP/1.1 200 OK\r\nno colon here\r\n",
        ),
        (
            Answer::Interim,
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n",
        ),
        (Answer::NoContent, "HTTP/1.1 204 No Content\r\n\r\n"),
        (Answer::Twice, GOOD),
        (Answer::Raw(b"\0\x01".to_vec()), "\0\x01"),
        (Answer::Drip(Duration::from_micros(100)), GOOD),
        (Answer::Delay(Duration::from_millis(1)), GOOD),
    ];
    let answers: Vec<_> = odd
        .iter()
        .flat_map(|(answer, _)| [answer.clone(), Answer::CloseSilently])
        .collect();
    let target = TestServer::start(Config::faulty(Script {
        answers,
        ..Script::default()
    }))
    .unwrap();
    for (answer, begins) in &odd {
        let mut client = Client::connect(target.addr());
        client.send(GET);
        assert_eq!(
            String::from_utf8(client.some(begins.len())).unwrap(),
            *begins,
            "{answer:?}"
        );
        client.send(GET);
        let (rest, error) = client.rest();
        assert!(
            rest.ends_with(GOOD.as_bytes()) && error.is_none(),
            "{answer:?}: {error:?}"
        );
    }
    assert_eq!(target.counters().path("/x"), 2 * odd.len() as u64);
}

#[test]
fn what_has_no_end_goes_on() {
    for (answer, unit) in [
        (Answer::EndlessHeaders, "x-more: and more\r\n"),
        (Answer::EndlessBody, "xxxx"),
    ] {
        let target = TestServer::start(Config::faulty(Script::always(answer))).unwrap();
        let mut client = Client::connect(target.addr());
        client.send(GET);
        let some = String::from_utf8(client.some(8 << 20)).unwrap();
        assert!(some.starts_with("HTTP/1.1 200 OK\r\n"));
        assert!(some.matches(unit).count() > 100_000);
    }
}

#[test]
fn what_never_comes_does_not_come() {
    for (answer, begins) in [
        (Answer::Withhold, ""),
        (
            Answer::LengthTooLong,
            "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\ngood",
        ),
    ] {
        let target = TestServer::start(Config::faulty(Script::always(answer))).unwrap();
        let stream = TcpStream::connect(target.addr()).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_millis(50)))
            .unwrap();
        std::io::Write::write_all(&mut &stream, GET).unwrap();
        let mut bytes = Vec::new();
        let error = std::io::Read::read_to_end(&mut &stream, &mut bytes).unwrap_err();
        assert_eq!(
            (String::from_utf8(bytes).unwrap().as_str(), error.kind()),
            (begins, ErrorKind::WouldBlock)
        );
    }
}

#[test]
fn connections_meet_their_script_before_any_request() {
    let script = Script {
        connections: vec![
            OnConnect::Close,
            OnConnect::Reset,
            OnConnect::Send(b"garbage".to_vec()),
            OnConnect::Silent,
            OnConnect::Serve,
        ],
        ..Script::default()
    };
    let target = TestServer::start(Config::faulty(script)).unwrap();
    assert_eq!(Client::connect(target.addr()).rest(), (Vec::new(), None));
    let (bytes, error) = Client::connect(target.addr()).rest();
    assert_eq!((bytes.len(), error), (0, Some(ErrorKind::ConnectionReset)));
    let mut garbled = Client::connect(target.addr());
    garbled.send(b"\x16\x03\x01");
    assert_eq!(garbled.rest().0, b"garbage");
    let silent = Client::connect(target.addr());
    let mut served = Client::connect(target.addr());
    for _ in 0..3 {
        assert_eq!(served.get("/").text(), "good");
    }
    drop(silent);
    assert_eq!(
        (
            target.counters().connections(),
            target.counters().requests()
        ),
        (5, 3)
    );
}

#[test]
fn a_port_refuses_for_as_long_as_it_is_held() {
    let port = RefusingPort::new().unwrap();
    for _ in 0..2 {
        assert_eq!(
            TcpStream::connect(port.addr()).unwrap_err().kind(),
            ErrorKind::ConnectionRefused
        );
    }
}

#[test]
fn a_stall_holds_all_answers_back_and_then_lets_them_go() {
    let (after, length) = (Duration::from_millis(30), Duration::from_millis(120));
    let target = TestServer::start(Config::faulty(Script::stall(after, length))).unwrap();
    let mut client = Client::connect(target.addr());
    let before_first = Instant::now();
    client.get("/first");
    // The stall has begun by now + after, at the latest, and does not end before before_first + after + length.
    std::thread::sleep(after);
    let mut waiting: Vec<_> = (0..5).map(|_| Client::connect(target.addr())).collect();
    waiting.iter_mut().for_each(|client| client.send(GET));
    for client in &mut waiting {
        assert_eq!(client.receive().text(), "good");
        assert!(before_first.elapsed() >= after + length);
    }
    assert_eq!(target.counters().path("/x"), 5);
}

#[test]
fn certificates_are_wrong_in_the_way_that_is_asked_for() {
    let good = |mode, identity: bool| {
        let target = TestServer::start(Config::faulty(Script::default()).with_tls(mode)).unwrap();
        let made = target.certificates().unwrap();
        let identity = identity.then(|| (made.client_cert_pem(), made.client_key_pem()));
        let config = client_config(made.ca_pem(), identity, &[]);
        let result = runtime().block_on(async {
            let mut stream = tls_connect(target.addr(), config).await?;
            stream.write_all(GET).await?;
            let mut answer = vec![0; GOOD.len()];
            stream.read_exact(&mut answer).await?;
            std::io::Result::Ok(String::from_utf8(answer).unwrap())
        });
        while result.is_err() && target.counters().handshake_failures() == 0 {
            std::thread::yield_now();
        }
        result.map_err(|error| error.to_string())
    };
    assert_eq!(good(tls::Mode::Valid, false).unwrap(), GOOD);
    assert_eq!(good(tls::Mode::ClientCertificate, true).unwrap(), GOOD);
    for (mode, says) in [
        (tls::Mode::SelfSigned, "UnknownIssuer"),
        (tls::Mode::Expired, "expired"),
        (tls::Mode::WrongName, "not valid for name"),
        (tls::Mode::ClientCertificate, "CertificateRequired"),
    ] {
        let error = good(mode, false).unwrap_err();
        assert!(error.contains(says), "{mode:?}: {error}");
    }
}
