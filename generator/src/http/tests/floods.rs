//! Targets that mean harm: each of their floods ends, in bounded memory, and holds nobody else up.

use super::peer::{
    ACK, CONTINUATION, DATA, END_HEADERS, HEADERS, PING, PRIORITY, Peer, SETTINGS, STATUS_200,
    WINDOW_UPDATE, literal,
};
use super::server::{Server, request};
use super::*;
use crate::exchange::ErrorCode;
use floodgate_core::definition::HttpVersion;
use std::io::Write as _;
use std::sync::mpsc;

const PLENTY: u32 = 100;

fn h2c() -> TransportOptions {
    TransportOptions {
        version: HttpVersion::Http2,
        max_body_bytes: 1 << 20,
        ..options()
    }
}

/// A server that answers a request with frames without end.
fn flooding(flood: impl Fn(&mut Peer, u32) -> bool + Send + Sync + 'static) -> Server {
    Server::start(move |_, stream| {
        let mut peer = Peer::new(stream, PLENTY);
        if let Some(id) = peer.request() {
            while flood(&mut peer, id) {}
            // A socket that is closed on what nobody read would take from the client what it has not read yet.
            while peer.request().is_some() {}
        }
    })
}

fn error_of(server: &Server) -> Option<ErrorCode> {
    get_with(h2c(), &server.url("/")).0.error
}

/// `:status: 103` (RFC 7541 §6.2.2; the name is entry 8).
const STATUS_103: &[u8] = b"\x08\x03103";

#[test]
fn heads_without_end_are_given_up() {
    let continued = flooding(|peer, id| {
        peer.send(HEADERS, 0, id, &[STATUS_200]);
        while peer.send(CONTINUATION, 0, id, &literal("a", "b")) {}
        false
    });
    assert_eq!(error_of(&continued), Some(ErrorCode::HeadersTooLarge));
    let empty = flooding(|peer, id| {
        peer.send(HEADERS, 0, id, &[STATUS_200]);
        while peer.send(CONTINUATION, 0, id, &[]) {}
        false
    });
    assert_eq!(error_of(&empty), Some(ErrorCode::HeadersTooLarge));
}

/// One header of 4,000 bytes in the table, and then a byte for each copy of it: 40 MB out of 14 kB.
#[test]
fn a_bomb_of_headers_is_not_unpacked() {
    let bomb = flooding(|peer, id| {
        let mut block = vec![STATUS_200, 0x40];
        block.extend_from_slice(&literal("a", &"v".repeat(4_000))[1..]);
        block.resize(block.len() + 10_000, 0x80 | 62);
        peer.send(HEADERS, END_HEADERS, id, &block);
        false
    });
    assert_eq!(error_of(&bomb), Some(ErrorCode::HeadersTooLarge));
}

#[test]
fn bodies_without_end_are_given_up() {
    let of_bytes = flooding(|peer, id| {
        peer.send(HEADERS, END_HEADERS, id, &[STATUS_200]);
        // as much as the client's window allows, once its SETTINGS hold: more is a fault of another kind
        peer.send(SETTINGS, ACK, 0, &[]);
        for _ in 0..4_000 {
            peer.send(DATA, 0, id, &[b'x'; 1000]);
        }
        false
    });
    assert_eq!(error_of(&of_bytes), Some(ErrorCode::BodyTooLarge));
    let of_nothing = flooding(|peer, id| {
        peer.send(HEADERS, END_HEADERS, id, &[STATUS_200]);
        while peer.send(DATA, 0, id, &[]) {}
        false
    });
    assert_eq!(error_of(&of_nothing), Some(ErrorCode::Protocol));
}

#[test]
fn an_increment_of_zero_is_a_fault() {
    for of_stream in [false, true] {
        let server = flooding(move |peer, id| {
            let id = if of_stream { id } else { 0 };
            peer.send(WINDOW_UPDATE, 0, id, &[0; 4])
        });
        assert_eq!(error_of(&server), Some(ErrorCode::Protocol));
    }
}

/// What asks for an answer, and what does not; a request under way waits for its time-out, and others are not held up.
#[test]
fn floods_hold_nobody_up() {
    let calm = Server::replying("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    for kind in [PING, SETTINGS, WINDOW_UPDATE, PRIORITY, HEADERS, 0xfe] {
        let server = flooding(move |peer, id| match kind {
            PING => peer.send(PING, 0, 0, &[0; 8]),
            SETTINGS => peer.send(SETTINGS, 0, 0, &[]),
            WINDOW_UPDATE => peer.send(WINDOW_UPDATE, 0, 0, &[0, 0, 0, 1]),
            PRIORITY => peer.send(PRIORITY, 0, id, &[0; 5]),
            HEADERS => peer.send(HEADERS, END_HEADERS, id, STATUS_103),
            unknown => peer.send(unknown, 0, id, &[0; 100]),
        });
        let plain = options();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let worker = Worker::new(Clock::start(), &[h2c(), plain]).unwrap();
        tokio::task::LocalSet::new().block_on(&runtime, async {
            tokio::task::spawn_local(Rc::clone(&worker).run_deadlines());
            let flooded = wire(&worker, "GET", &server.url("/"));
            let mut suffers = Client::new(Rc::clone(&worker), TransportId(0));
            let suffering = tokio::task::spawn_local(async move {
                suffers
                    .execute(&flooded, NONE, Duration::from_millis(300))
                    .await
            });
            let wire = wire(&worker, "GET", &calm.url("/"));
            let mut client = Client::new(Rc::clone(&worker), TransportId(1));
            while !suffering.is_finished() {
                let exchange = client.execute(&wire, NONE, LONG).await;
                assert_eq!(exchange.error, None, "{kind}");
            }
            let error = suffering.await.unwrap().error;
            assert_eq!(error, Some(ErrorCode::Timeout), "{kind}");
        });
    }
}

/// A peer that asks for answers and reads none: they are not kept without end, for nothing more is read either.
#[test]
fn answers_that_nobody_reads_are_not_piled_up() {
    const MOST: usize = 64 << 20;
    for frame in [PING, SETTINGS] {
        let (told, wrote) = mpsc::channel();
        let server = Server::start(move |_, stream| {
            let mut peer = Peer::new(stream, PLENTY);
            peer.request();
            let wait = Some(Duration::from_millis(500));
            peer.stream.set_write_timeout(wait).unwrap();
            let payload = if frame == PING { 8 } else { 0 };
            let one = [
                &[0, 0, payload, frame, 0, 0, 0, 0, 0][..],
                &vec![0; payload.into()],
            ]
            .concat();
            let many = one.repeat(1_000);
            let mut total = 0;
            while total < MOST && peer.stream.write_all(&many).is_ok() {
                total += many.len();
            }
            told.send(total).unwrap();
        });
        on_worker(h2c(), async |worker| {
            let wire = wire(&worker, "GET", &server.url("/"));
            let mut client = client(&worker);
            let exchange = client.execute(&wire, NONE, Duration::from_secs(3)).await;
            assert!(exchange.error.is_some());
        });
        assert!(wrote.recv().unwrap() < MOST);
    }
}

/// The same for HTTP/1.1: interim responses, extensions of chunks, trailers.
#[test]
fn http1_without_end_is_given_up() {
    for (start, more, error) in [
        ("", "HTTP/1.1 103 Early Hints\r\n\r\n", ErrorCode::Protocol),
        (
            "HTTP/1.1 200 OK\r\n",
            "a: b\r\n",
            ErrorCode::HeadersTooLarge,
        ),
        (
            "HTTP/1.1 200 OK\r\na: b\r\n",
            " folded\r\n",
            ErrorCode::HeadersTooLarge,
        ),
        (
            "HTTP/1.1 200 OK\r\nSet-Cookie: ",
            "a=b; ",
            ErrorCode::HeadersTooLarge,
        ),
        (
            "HTTP/1.1 200 OK\r\n\r\n",
            "endless",
            ErrorCode::BodyTooLarge,
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;",
            "extension",
            ErrorCode::Protocol,
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
            "trailer: x\r\n",
            ErrorCode::Protocol,
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            "1\r\nx\r\n",
            ErrorCode::BodyTooLarge,
        ),
    ] {
        let server = Server::start(move |_, mut stream| {
            request(&mut stream);
            let _ = stream.write_all(start.as_bytes());
            while stream.write_all(more.repeat(100).as_bytes()).is_ok() {}
        });
        let bounded = TransportOptions {
            max_body_bytes: 1 << 20,
            ..options()
        };
        let (exchange, body) = get_with(bounded, &server.url("/"));
        assert_eq!(exchange.error, Some(error), "{start}{more}");
        assert!(body.len() <= 1 << 20);
    }
}
