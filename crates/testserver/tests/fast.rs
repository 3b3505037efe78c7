//! The benchmark's server over the wire.
#![allow(clippy::unwrap_used)]

mod support;

use floodgate_testserver::{Config, Kind, StartError, TestServer, fast, tls};
use support::{Client, client_config, h2_get, runtime, tls_connect};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const GET: &str = "GET /any HTTP/1.1\r\nhost: t\r\n\r\n";

fn with_arrivals() -> Config {
    Config {
        kind: Kind::Fast(fast::Options {
            body_bytes: 10,
            arrivals: true,
        }),
        ..Config::fast()
    }
}

#[test]
fn answers_are_128_bytes_and_pipelined_ones_in_number() {
    let target = TestServer::start(Config::fast()).unwrap();
    let mut client = Client::connect(target.addr());
    client.send(GET.repeat(100).as_bytes());
    for _ in 0..100 {
        let answer = client.receive();
        assert_eq!((answer.status, answer.body.len()), (200, 128));
    }
    assert_eq!(target.counters().requests(), 100);
}

#[test]
fn requests_may_come_in_pieces() {
    let target = TestServer::start(Config::fast()).unwrap();
    let mut client = Client::connect(target.addr());
    for piece in [&GET[..9], &GET[9..], &GET[..GET.len() - 1]] {
        client.send(piece.as_bytes());
        std::thread::yield_now();
    }
    client.receive();
    client.send(b"\n");
    client.receive();
    assert_eq!(target.counters().requests(), 2);
}

#[test]
fn more_answers_than_a_socket_holds_all_arrive() {
    let kind = Kind::Fast(fast::Options {
        body_bytes: fast::MAX_BODY_BYTES,
        arrivals: false,
    });
    let target = TestServer::start(Config {
        kind,
        ..Config::fast()
    })
    .unwrap();
    let mut client = Client::connect(target.addr());
    client.send(GET.repeat(40).as_bytes());
    for _ in 0..40 {
        assert_eq!(client.receive().body.len(), fast::MAX_BODY_BYTES);
    }
}

#[test]
fn what_is_no_get_is_refused_and_the_connection_closed() {
    for config in [Config::fast(), Config::fast().with_http2(true)] {
        let target = TestServer::start(config).unwrap();
        let mut client = Client::connect(target.addr());
        client.send(b"POST / HTTP/1.1\r\ncontent-length: 2\r\n\r\n{}");
        assert_eq!(client.receive().status, 405);
        client.rest();
        assert_eq!(target.counters().requests(), 0);
    }
}

#[test]
fn many_connections_come_and_go() {
    let target = TestServer::start(Config::fast()).unwrap();
    for _ in 0..3 {
        let mut clients: Vec<_> = (0..200).map(|_| Client::connect(target.addr())).collect();
        for client in &mut clients {
            client.send(GET.as_bytes());
        }
        for client in &mut clients {
            client.receive();
        }
        assert_eq!(target.counters().open_connections(), 200);
        drop(clients);
        while target.counters().open_connections() > 0 {
            std::thread::yield_now();
        }
    }
    assert_eq!(
        (
            target.counters().connections(),
            target.counters().requests()
        ),
        (600, 600)
    );
}

#[test]
fn arrivals_are_kept_in_order_and_taken_once() {
    let target = TestServer::start(with_arrivals()).unwrap();
    let mut client = Client::connect(target.addr());
    for _ in 0..50 {
        client.send(GET.as_bytes());
        assert_eq!(client.receive().body.len(), 10);
    }
    let mut ask = |path: &str| {
        client.send(format!("GET {path} HTTP/1.1\r\n\r\n").as_bytes());
        client.receive()
    };
    let times: Vec<u64> = ask("/__arrivals")
        .text()
        .lines()
        .map(|line| line.parse().unwrap())
        .collect();
    assert_eq!(times.len(), 50);
    assert!(times.is_sorted());
    assert_eq!(ask("/__arrivals").text(), "");
    assert_eq!(ask("/__count").text(), "50");
    assert_eq!(ask("/__nothing").status, 404);
}

#[test]
fn arrivals_need_the_plain_loop() {
    let started = TestServer::start(with_arrivals().with_http2(true));
    assert!(matches!(started, Err(StartError::Unsupported(_))));
}

#[test]
fn tls_and_http2_give_the_same_answer() {
    let target =
        TestServer::start(Config::fast().with_tls(tls::Mode::Valid).with_http2(true)).unwrap();
    let plain = TestServer::start(Config::fast().with_http2(true)).unwrap();
    let config = |alpn: &[&[u8]]| client_config(target.ca_pem().unwrap(), None, alpn);
    runtime().block_on(async {
        let mut http1 = tls_connect(target.addr(), config(&[b"http/1.1"]))
            .await
            .unwrap();
        http1.write_all(GET.as_bytes()).await.unwrap();
        let mut start = [0; 15];
        http1.read_exact(&mut start).await.unwrap();
        assert_eq!(&start, b"HTTP/1.1 200 OK");

        let http2 = tls_connect(target.addr(), config(&[b"h2"])).await.unwrap();
        assert_eq!(h2_get(http2, "https://t/").await, (200, vec![b'f'; 128]));
        let tcp = tokio::net::TcpStream::connect(plain.addr()).await.unwrap();
        assert_eq!(h2_get(tcp, "http://t/").await, (200, vec![b'f'; 128]));
    });
    assert_eq!(
        (target.counters().requests(), plain.counters().requests()),
        (2, 1)
    );
    let mut client = Client::connect(plain.addr());
    assert_eq!(client.request("GET", "/", "", "").body.len(), 128);
}
