//! Bodies that wait until the peer asks for them (RFC 9110 §10.1.1).

use super::server::{Server, head, wait_for_close};
use super::*;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::mpsc;

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// What a client whose request has a body and `Expect: 100-continue` comes to at a server, and what it sent.
fn expecting(
    requests: usize,
    script: impl Fn(usize, TcpStream) + Send + Sync + 'static,
) -> (Vec<HttpExchange>, usize) {
    let server = Server::start(script);
    let exchanges = on_worker(options(), async |worker| {
        let target = absolute(None, &server.url("/")).unwrap();
        let wire = Wire::build(&RequestParts {
            method: "POST".into(),
            endpoint: worker.endpoint(&target.origin).unwrap(),
            authority: target.origin.authority(),
            path_and_query: "/".into(),
            headers: vec![("Expect".into(), b"100-continue".to_vec())],
            body: Bytes::from_static(b"0123456789"),
        })
        .unwrap();
        let mut client = client(&worker);
        let mut all = Vec::new();
        for _ in 0..requests {
            all.push(client.execute(&wire, NONE, LONG).await);
        }
        all
    });
    (exchanges, server.accepted())
}

#[test]
fn the_body_is_sent_when_it_is_asked_for() {
    let (seen, bodies) = mpsc::channel();
    let (exchanges, accepted) = expecting(2, move |_, mut stream| {
        while head(&mut stream).is_some() {
            stream.set_nonblocking(true).unwrap();
            let early = stream.read(&mut [0]).is_ok();
            stream.set_nonblocking(false).unwrap();
            stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").unwrap();
            let mut body = [0; 10];
            stream.read_exact(&mut body).unwrap();
            seen.send((early, body)).unwrap();
            stream.write_all(OK).unwrap();
        }
    });
    for exchange in exchanges {
        assert_eq!((exchange.error, exchange.status), (None, 200));
    }
    assert_eq!(accepted, 1);
    let all: Vec<_> = bodies.iter().collect();
    assert_eq!(all, [(false, *b"0123456789"); 2]);
}

#[test]
fn a_final_answer_spares_the_body_and_costs_the_connection() {
    let (exchanges, accepted) = expecting(2, |_, mut stream| {
        head(&mut stream);
        stream
            .write_all(b"HTTP/1.1 417 No\r\nContent-Length: 0\r\n\r\n")
            .unwrap();
        wait_for_close(&mut stream);
    });
    for exchange in exchanges {
        assert_eq!((exchange.error, exchange.status), (None, 417));
    }
    assert_eq!(accepted, 2);
}

#[test]
fn a_peer_that_never_asks_gets_the_body_after_a_second() {
    let (exchanges, _) = expecting(1, |_, mut stream| {
        head(&mut stream);
        stream.read_exact(&mut [0; 10]).unwrap();
        stream.write_all(OK).unwrap();
        wait_for_close(&mut stream);
    });
    assert_eq!((exchanges[0].error, exchanges[0].status), (None, 200));
    assert!(exchanges[0].timings.sending >= 1_000_000_000);
}
