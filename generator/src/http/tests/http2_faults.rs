//! What an HTTP/2 connection suffers, and who is charged with it.

use super::peer::{
    CONTINUATION, DATA, END_HEADERS, END_STREAM, ENHANCE_YOUR_CALM, HEADERS, NO_ERROR, Peer,
    REFUSED_STREAM, RST_STREAM, STATUS_200, literal,
};
use super::server::{Server, wait_for_close};
use super::*;
use crate::exchange::ErrorCode;
use floodgate_core::definition::{ConnectionMode, HttpVersion};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

const PLENTY: u32 = 100;

fn h2c(connections: ConnectionMode) -> TransportOptions {
    TransportOptions {
        version: HttpVersion::Http2,
        connections,
        ..options()
    }
}

/// Sends so many POST requests one after the other, on a connection of its own; their errors.
fn in_turn(server: &Server, requests: usize) -> Vec<Option<ErrorCode>> {
    on_worker(h2c(ConnectionMode::PerVu), async |worker| {
        let wire = wire_with(&worker, "POST", &server.url("/"), Bytes::from("x"));
        let mut client = client(&worker);
        let mut errors = Vec::new();
        for _ in 0..requests {
            errors.push(client.execute(&wire, NONE, LONG).await.error);
        }
        errors
    })
}

/// Has so many clients send POST requests at once on shared connections; their errors.
fn at_once(server: &Server, clients: usize, requests: usize) -> Vec<Option<ErrorCode>> {
    on_worker(h2c(ConnectionMode::Shared), async |worker| {
        let tasks: Vec<_> = (0..clients)
            .map(|_| {
                let wire = wire_with(&worker, "POST", &server.url("/"), Bytes::from("x"));
                let mut client = client(&worker);
                tokio::task::spawn_local(async move {
                    let mut errors = Vec::new();
                    for _ in 0..requests {
                        errors.push(client.execute(&wire, NONE, LONG).await.error);
                    }
                    errors
                })
            })
            .collect();
        let mut errors = Vec::new();
        for task in tasks {
            errors.extend(task.await.unwrap());
        }
        errors
    })
}

#[test]
fn what_lies_above_the_last_stream_of_a_goaway_is_sent_again_whatever_its_code() {
    for code in [NO_ERROR, 1, 2, ENHANCE_YOUR_CALM, 0xdead] {
        let server = Server::start(move |number, stream| {
            let mut peer = Peer::new(stream, PLENTY);
            if number == 0 {
                for _ in 0..2 {
                    let id = peer.request().unwrap();
                    peer.ok(id);
                }
                let unseen = peer.request().unwrap();
                return peer.go_away(unseen - 2, code);
            }
            peer.answer_all();
        });
        assert_eq!(in_turn(&server, 4), [None; 4], "{code}");
        assert_eq!(server.accepted(), 2);
    }
}

#[test]
fn a_graceful_end_costs_nobody_a_request() {
    let server = Server::start(|number, stream| {
        let mut peer = Peer::new(stream, PLENTY);
        if number > 0 {
            return peer.answer_all();
        }
        let first = peer.request().unwrap();
        // first no limit, then the real one: what was under way meanwhile shall not be lost
        peer.go_away(0x7fff_ffff, NO_ERROR);
        peer.go_away(first, NO_ERROR);
        peer.ok(first);
        wait_for_close(&mut peer.stream);
    });
    assert_eq!(in_turn(&server, 3), [None; 3]);
    assert_eq!(server.accepted(), 2);
}

#[test]
fn what_a_lost_connection_may_have_handled_is_not_sent_again() {
    let server = Server::start(|number, stream| {
        let mut peer = Peer::new(stream, PLENTY);
        if number > 0 {
            return peer.answer_all();
        }
        let first = peer.request().unwrap();
        peer.ok(first);
        let second = peer.request().unwrap();
        peer.go_away(second, NO_ERROR);
    });
    let errors = in_turn(&server, 3);
    assert!(
        matches!(
            errors[..],
            [
                None,
                Some(ErrorCode::ConnectionClosed | ErrorCode::ConnectionReset),
                None
            ]
        ),
        "{errors:?}"
    );
    assert_eq!(server.accepted(), 2);
}

#[test]
fn a_refused_stream_is_sent_again_and_its_connection_kept() {
    let server = Server::start(|_, stream| {
        let mut peer = Peer::new(stream, PLENTY);
        for refused in [false, true, true, false, false] {
            let Some(id) = peer.request() else { return };
            if refused {
                peer.reset(id, REFUSED_STREAM);
            } else {
                peer.ok(id);
            }
        }
        wait_for_close(&mut peer.stream);
    });
    assert_eq!(in_turn(&server, 3), [None; 3]);
    assert_eq!(server.accepted(), 1);
}

#[test]
fn a_peer_that_refuses_for_ever_is_asked_seven_times() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let server = Server::start(move |_, stream| {
        let mut peer = Peer::new(stream, PLENTY);
        while let Some(id) = peer.request() {
            count.fetch_add(1, Ordering::SeqCst);
            peer.reset(id, REFUSED_STREAM);
        }
    });
    assert_eq!(in_turn(&server, 1), [Some(ErrorCode::ConnectionReset)]);
    assert_eq!((asked.load(Ordering::SeqCst), server.accepted()), (7, 1));
}

#[test]
fn a_stream_that_fails_does_not_take_its_connection_with_it() {
    let server = Server::start(|_, stream| {
        let mut peer = Peer::new(stream, PLENTY);
        let id = peer.request().unwrap();
        peer.reset(id, 2);
        peer.answer_all();
    });
    assert_eq!(
        in_turn(&server, 2),
        [Some(ErrorCode::ConnectionReset), None]
    );
    assert_eq!(server.accepted(), 1);
}

/// Opens no more streams than the peer allows, however late it says how many: else it would refuse them.
#[test]
fn no_stream_is_too_many_before_the_peers_settings_come() {
    const LIMIT: usize = 2;
    let most = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&most);
    let server = Server::start(move |_, stream| {
        let mut peer = Peer::silent(stream);
        let mut open = Vec::new();
        let mut silent = true;
        while let Some(id) = peer.request() {
            open.push(id);
            seen.fetch_max(open.len(), Ordering::SeqCst);
            if std::mem::take(&mut silent) {
                // long enough for all to come that would come
                std::thread::sleep(Duration::from_millis(30));
                peer.settings(LIMIT as u32);
            }
            open.drain(..).for_each(|id| peer.ok(id));
        }
    });
    assert_eq!(at_once(&server, 12, 4), [None; 48]);
    assert!(most.load(Ordering::SeqCst) <= LIMIT);
}

#[test]
fn a_limit_that_is_lowered_costs_nobody_a_request() {
    let server = Server::start(|number, stream| {
        let mut peer = Peer::new(stream, 8);
        let mut answered = 0;
        while let Some(id) = peer.request() {
            if number == 0 && answered == 4 {
                // what is under way has not heard of it
                peer.settings(1);
                peer.reset(id, REFUSED_STREAM);
            } else {
                peer.ok(id);
            }
            answered += 1;
        }
    });
    assert_eq!(at_once(&server, 8, 4), [None; 32]);
}

/// A limit of zero is one for a short time (RFC 9113 §6.5.2).
#[test]
fn a_limit_of_zero_is_waited_for() {
    let server = Server::start(|_, stream| {
        let mut peer = Peer::new(stream, 0);
        // nothing is due but the client's acknowledgement
        std::thread::sleep(Duration::from_millis(10));
        peer.settings(PLENTY);
        peer.answer_all();
    });
    for mode in [ConnectionMode::PerVu, ConnectionMode::Shared] {
        on_worker(h2c(mode), async |worker| {
            let wire = wire(&worker, "POST", &server.url("/"));
            let exchange = client(&worker).execute(&wire, NONE, LONG).await;
            assert_eq!((exchange.error, exchange.status), (None, 200));
        });
    }
}

/// A peer may answer before it has read a body, and ask for it no more (RFC 9113 §8.1).
#[test]
fn an_early_answer_counts() {
    let server = Server::start(|_, stream| {
        let mut peer = Peer::new(stream, PLENTY);
        while let Some(frame) = peer.next() {
            if frame.kind == HEADERS {
                peer.send(HEADERS, END_HEADERS, frame.id, &[STATUS_200]);
                peer.send(DATA, END_STREAM, frame.id, b"no");
                peer.reset(frame.id, NO_ERROR);
            }
        }
    });
    on_worker(h2c(ConnectionMode::PerVu), async |worker| {
        let body = Bytes::from(vec![b'x'; 1 << 20]);
        let wire = wire_with(&worker, "POST", &server.url("/"), body);
        let mut client = client(&worker);
        for _ in 0..3 {
            let exchange = client.execute(&wire, ALL, LONG).await;
            assert_eq!((exchange.error, exchange.status), (None, 200));
            assert_eq!(client.response().body(), b"no");
        }
    });
    assert_eq!(server.accepted(), 1);
}

/// Answers a request with so many headers, in as many frames as it takes.
fn answering(headers: Vec<u8>) -> Server {
    Server::start(move |_, stream| {
        let mut peer = Peer::new(stream, PLENTY);
        while let Some(id) = peer.request() {
            let block = [&[STATUS_200], &headers[..]].concat();
            let mut pieces = block.chunks(16 << 10).peekable();
            let mut kind = HEADERS;
            while let Some(piece) = pieces.next() {
                let end = if pieces.peek().is_none() {
                    END_HEADERS
                } else {
                    0
                };
                let flags = if kind == HEADERS {
                    END_STREAM | end
                } else {
                    end
                };
                peer.send(kind, flags, id, piece);
                kind = CONTINUATION;
            }
        }
    })
}

#[test]
fn heads_have_the_same_bounds_in_both_versions() {
    // `HTTP/1.1 200 \r\n` and `\r\n` and `a: \r\n` take 22 bytes
    let exactly = head::MAX_HEAD_BYTES - 22;
    for (value, error) in [
        (40_000, None),
        (exactly, None),
        (exactly + 1, Some(ErrorCode::HeadersTooLarge)),
        (300_000, Some(ErrorCode::HeadersTooLarge)),
        (1_000_000, Some(ErrorCode::HeadersTooLarge)),
        (3_000_000, Some(ErrorCode::HeadersTooLarge)),
    ] {
        let value = "v".repeat(value);
        let old = Server::closing(format!(
            "HTTP/1.1 200 \r\na: {value}\r\ncontent-length: 0\r\n\r\n"
        ));
        let (of_old, _) = get(&old.url("/"));
        // `content-length: 0\r\n` comes on top
        assert_eq!(
            of_old.error,
            error.or((value.len() > exactly - 19).then_some(ErrorCode::HeadersTooLarge))
        );
        let (exchange, _) = get_with(
            h2c(ConnectionMode::PerVu),
            &answering(literal("a", &value)).url("/"),
        );
        let status = if error.is_some() { 0 } else { 200 };
        assert_eq!(
            (exchange.error, exchange.status),
            (error, status),
            "{}",
            value.len()
        );
    }
    for (count, error) in [(256, None), (257, Some(ErrorCode::HeadersTooLarge))] {
        let server = answering(literal("a", "b").repeat(count));
        let (exchange, _) = get_with(h2c(ConnectionMode::PerVu), &server.url("/"));
        assert_eq!(exchange.error, error);
    }
}

#[test]
fn a_head_that_is_too_large_costs_its_stream_alone() {
    let server = Server::start(|_, stream| {
        let mut peer = Peer::new(stream, PLENTY);
        let mut large = true;
        while let Some(frame) = peer.next() {
            assert_ne!(frame.kind, RST_STREAM);
            if frame.kind == HEADERS && std::mem::take(&mut large) {
                let block = [&[STATUS_200], &literal("a", "b").repeat(300)[..]].concat();
                peer.send(HEADERS, END_HEADERS | END_STREAM, frame.id, &block);
            } else if frame.kind == HEADERS {
                peer.ok(frame.id);
            }
        }
    });
    on_worker(h2c(ConnectionMode::PerVu), async |worker| {
        let wire = wire(&worker, "GET", &server.url("/"));
        let mut client = client(&worker);
        let mut error = async || client.execute(&wire, NONE, LONG).await.error;
        assert_eq!(error().await, Some(ErrorCode::HeadersTooLarge));
        assert_eq!(error().await, None);
    });
    assert_eq!(server.accepted(), 1);
}
