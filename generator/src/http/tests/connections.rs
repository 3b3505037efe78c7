//! Who keeps which connection, and what happens when the other side gives one up.

mod stale;

use super::server::{Server, request, wait_for_close};
use super::*;
use crate::exchange::ErrorCode;
use floodgate_core::definition::ConnectionMode;
use std::io::Write;
use std::sync::mpsc;

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// How many connections so many requests of one client take, with an iteration in between.
fn connections(options: TransportOptions, reply: &[u8], requests: usize) -> usize {
    let server = Server::replying(reply);
    on_worker(options, async |worker| {
        let wire = wire(&worker, "GET", &server.url("/"));
        let mut client = client(&worker);
        for _ in 0..requests {
            client.begin_iteration();
            let exchange = client.execute(&wire, NONE, LONG).await;
            assert_eq!((exchange.error, exchange.status), (None, 200));
        }
    });
    server.accepted()
}

#[test]
fn a_connection_is_kept_as_the_options_and_the_target_say() {
    assert_eq!(connections(options(), OK, 4), 1);
    assert_eq!(
        connections(
            TransportOptions {
                keep_alive: false,
                ..options()
            },
            OK,
            4
        ),
        4
    );
    assert_eq!(
        connections(
            TransportOptions {
                reuse_across_iterations: false,
                ..options()
            },
            OK,
            4
        ),
        4
    );
    let closing = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok";
    assert_eq!(connections(options(), closing, 3), 3);
    let old = b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok";
    assert_eq!(connections(options(), old, 3), 3);
}

#[test]
fn a_kept_connection_costs_no_wait() {
    let server = Server::replying(OK);
    on_worker(options(), async |worker| {
        let wire = wire(&worker, "GET", &server.url("/"));
        let mut client = client(&worker);
        client.execute(&wire, NONE, LONG).await;
        let timings = client.execute(&wire, NONE, LONG).await.timings;
        assert_eq!(
            (timings.blocked, timings.connecting, timings.receiving),
            (0, 0, 0)
        );
    });
}

#[test]
fn vus_have_their_own_connections_unless_shared() {
    for (mode, expected) in [(ConnectionMode::PerVu, 4), (ConnectionMode::Shared, 1)] {
        let server = Server::replying(OK);
        on_worker(
            TransportOptions {
                connections: mode,
                ..options()
            },
            async |worker| {
                let wire = wire(&worker, "GET", &server.url("/"));
                for mut client in (0..4).map(|_| client(&worker)).collect::<Vec<_>>() {
                    assert_eq!(client.execute(&wire, NONE, LONG).await.error, None);
                }
            },
        );
        assert_eq!(server.accepted(), expected, "{mode:?}");
    }
}

#[test]
fn a_shared_pool_has_as_many_connections_as_requests_at_once() {
    // no answer before three requests are there
    let barrier = std::sync::Arc::new(std::sync::Barrier::new(3));
    let server = Server::start(move |_, mut stream| {
        while request(&mut stream).is_some() {
            barrier.wait();
            stream.write_all(OK).unwrap();
        }
    });
    on_worker(
        TransportOptions {
            connections: ConnectionMode::Shared,
            ..options()
        },
        async |worker| {
            for _ in 0..3 {
                let tasks: Vec<_> = (0..3)
                    .map(|_| {
                        let (mut client, wire) =
                            (client(&worker), wire(&worker, "GET", &server.url("/")));
                        tokio::task::spawn_local(async move {
                            client.execute(&wire, NONE, LONG).await.error
                        })
                    })
                    .collect();
                for task in tasks {
                    assert_eq!(task.await.unwrap(), None);
                }
            }
        },
    );
    assert_eq!(server.accepted(), 3);
}

#[test]
fn a_408_on_a_new_connection_is_the_answer() {
    let server = Server::closing(
        "HTTP/1.1 408 Request Time-out\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
    );
    let (exchange, _) = get(&server.url("/"));
    assert_eq!(
        (exchange.error, exchange.status, server.accepted()),
        (None, 408, 1)
    );
}

#[test]
fn bytes_behind_a_response_are_left_behind_with_their_connection() {
    for reply in [
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok\r\n",
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok!",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n",
    ] {
        let server = Server::replying(reply);
        on_worker(options(), async |worker| {
            let wire = wire(&worker, "GET", &server.url("/"));
            let mut client = client(&worker);
            for _ in 0..3 {
                let exchange = client.execute(&wire, ALL, LONG).await;
                assert_eq!((exchange.error, exchange.status), (None, 200), "{reply}");
                assert_eq!(client.response().body(), b"ok");
            }
        });
        assert_eq!(server.accepted(), 3, "{reply}");
    }
    for (method, reply) in [
        (
            "GET",
            "HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\n{}",
        ),
        (
            "GET",
            "HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\n\r\n{}",
        ),
        ("HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"),
    ] {
        let server = Server::replying(reply);
        on_worker(options(), async |worker| {
            let wire = wire(&worker, method, &server.url("/"));
            let mut client = client(&worker);
            for _ in 0..3 {
                assert_eq!(
                    client.execute(&wire, NONE, LONG).await.error,
                    None,
                    "{reply}"
                );
            }
        });
        assert_eq!(server.accepted(), 3, "{reply}");
    }
}

#[test]
fn a_cancelled_request_leaves_no_connection_behind() {
    let (read, mut was_read) = tokio::sync::mpsc::unbounded_channel();
    let server = Server::start(move |number, mut stream| {
        while request(&mut stream).is_some() {
            if number == 0 {
                read.send(()).unwrap();
                wait_for_close(&mut stream);
                return;
            }
            stream.write_all(OK).unwrap();
        }
    });
    on_worker(options(), async |worker| {
        let wire = wire(&worker, "GET", &server.url("/"));
        let mut client = client(&worker);
        tokio::select! {
            exchange = client.execute(&wire, NONE, LONG) => panic!("{exchange:?}"),
            _ = was_read.recv() => {}
        }
        assert_eq!(client.execute(&wire, NONE, LONG).await.status, 200);
    });
    assert_eq!(server.accepted(), 2);
}

#[test]
fn an_answer_before_the_whole_request_counts_but_ends_the_connection() {
    let server = Server::start(|_, mut stream| {
        let mut head = [0; 10];
        std::io::Read::read_exact(&mut stream, &mut head).unwrap();
        stream
            .write_all(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
            .unwrap();
        std::thread::sleep(Duration::from_millis(100));
        wait_for_close(&mut stream);
    });
    on_worker(options(), async |worker| {
        let wire = wire_with(
            &worker,
            "POST",
            &server.url("/"),
            Bytes::from(vec![b'x'; 32 << 20]),
        );
        let mut client = client(&worker);
        for _ in 0..2 {
            let exchange = client.execute(&wire, NONE, LONG).await;
            assert_eq!((exchange.error, exchange.status), (None, 413));
            assert!(exchange.sent < wire.bytes().len() as u64);
        }
    });
    assert_eq!(server.accepted(), 2);
}

#[test]
fn a_request_larger_than_the_sockets_buffers_arrives_whole() {
    let server = Server::start(|_, mut stream| {
        let text = request(&mut stream).unwrap();
        let digest: u64 = text.bytes().map(u64::from).sum();
        write!(
            stream,
            "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{digest:020}"
        )
        .unwrap();
    });
    on_worker(options(), async |worker| {
        let body: Vec<u8> = (0..16 << 20)
            .map(|at: u32| b'a' + (at % 26) as u8)
            .collect();
        let wire = wire_with(&worker, "POST", &server.url("/"), Bytes::from(body));
        let expected: u64 = wire.bytes().iter().map(|&byte| u64::from(byte)).sum();
        let mut client = client(&worker);
        let exchange = client.execute(&wire, ALL, LONG).await;
        assert_eq!(
            (exchange.error, exchange.sent),
            (None, wire.bytes().len() as u64)
        );
        assert_eq!(
            client.response().body(),
            format!("{expected:020}").as_bytes()
        );
    });
}

#[test]
fn only_what_is_asked_for_is_kept() {
    let reply = "HTTP/1.1 302 Found\r\nX-A: 1\r\nLocation: /next\r\nSet-Cookie: a=b; Path=/\r\nContent-Length: 2\r\n\r\nok";
    let server = Server::replying(reply);
    on_worker(options(), async |worker| {
        let mut client = client(&worker);
        let wire = wire(&worker, "GET", &server.url("/x"));
        client.execute(&wire, NONE, LONG).await;
        let view = client.response();
        assert_eq!(
            (view.get("location"), view.get("x-a")),
            (Some(&b"/next"[..]), None)
        );
        assert_eq!((view.body(), view.body_bytes()), (&b""[..], 2));
        client.execute(&wire, ALL, LONG).await;
        let view = client.response();
        assert_eq!(
            (view.get("X-a"), view.body()),
            (Some(&b"1"[..]), &b"ok"[..])
        );
        assert_eq!(view.set_cookies().collect::<Vec<_>>(), [("a", "b")]);
        assert_eq!(
            client.cookie_header(wire.endpoint(), "/y").as_deref(),
            Some("a=b")
        );
        client.begin_iteration();
        assert_eq!(client.cookie_header(wire.endpoint(), "/y"), None);
    });
    let server = Server::replying(reply);
    on_worker(
        TransportOptions {
            cookies: false,
            ..options()
        },
        async |worker| {
            let mut client = client(&worker);
            client
                .execute(&wire(&worker, "GET", &server.url("/x")), ALL, LONG)
                .await;
            assert!(client.cookies().is_empty());
        },
    );
}

/// What a VU costs while it waits: its future, and its connection between requests.
#[test]
fn a_vu_is_small() {
    let server = Server::replying(OK);
    on_worker(options(), async |worker| {
        let mut client = client(&worker);
        let wire = wire(&worker, "GET", &server.url("/"));
        let future = client.execute(&wire, NONE, LONG);
        let size = std::mem::size_of_val(&future);
        assert!(size <= 1024, "{size}");
        future.await;
    });
    let idle =
        std::mem::size_of::<Client>() + 4 * std::mem::size_of::<(EndpointId, pool::Connection)>();
    assert!(idle <= 768, "{idle}");
}
