//! Every error code that a target can cause, and framing over a real socket.

use super::server::{Server, request, reset, wait_for_close};
use super::*;
use crate::exchange::ErrorCode;
use std::io::Write;
use std::net::{TcpListener, TcpStream};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

fn error_of(reply: &str) -> (Option<ErrorCode>, u16) {
    let server = Server::closing(reply);
    let (exchange, _) = get(&server.url("/"));
    (exchange.error, exchange.status)
}

#[test]
fn a_plain_exchange_is_measured() {
    let server = Server::replying(OK);
    let (exchange, body) = get(&server.url("/"));
    assert_eq!(
        (exchange.error, exchange.status, body.as_slice()),
        (None, 200, &b"hello"[..])
    );
    let sent = format!(
        "GET / HTTP/1.1\r\nHost: {}\r\nUser-Agent: test\r\n\r\n",
        server.address
    );
    assert_eq!(
        (exchange.sent, exchange.received),
        (sent.len() as u64, OK.len() as u64)
    );
    let timings = exchange.timings;
    assert!(timings.connecting > 0 && timings.connecting <= timings.blocked);
    assert_eq!((timings.looking_up, timings.tls), (0, 0));
    assert_eq!(
        timings.begin + timings.blocked + timings.duration(),
        timings.end
    );
}

#[test]
fn phases_are_measured_where_they_happen() {
    let pause = Duration::from_millis(20);
    let server = Server::start(move |_, mut stream| {
        request(&mut stream);
        std::thread::sleep(pause);
        stream.write_all(&OK.as_bytes()[..30]).unwrap();
        std::thread::sleep(pause);
        stream.write_all(&OK.as_bytes()[30..]).unwrap();
    });
    let (exchange, body) = get(&server.url("/"));
    assert_eq!((exchange.error, body.as_slice()), (None, &b"hello"[..]));
    let (pause, timings) = (pause.as_nanos() as u64, exchange.timings);
    // the server may have begun its pause before our write was over, and we may have seen the first byte late
    assert!(timings.sending + timings.waiting >= pause, "{timings:?}");
    assert!(timings.duration() >= 2 * pause, "{timings:?}");
}

#[test]
fn bytes_may_come_one_by_one() {
    let reply = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
    let server = Server::start(move |_, mut stream| {
        request(&mut stream);
        for byte in reply.bytes() {
            stream.write_all(&[byte]).unwrap();
        }
        wait_for_close(&mut stream);
    });
    let (exchange, body) = get(&server.url("/"));
    assert_eq!(
        (exchange.error, exchange.received, body.as_slice()),
        (None, reply.len() as u64, &b"hello"[..])
    );
}

#[test]
fn a_body_larger_than_the_buffer_comes_whole() {
    let large: String = (0..60_000).map(|number| format!("{number:07}")).collect();
    let reply = format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{large}",
        large.len()
    );
    let (exchange, body) = get(&Server::replying(reply).url("/"));
    assert_eq!((exchange.error, body == large.as_bytes()), (None, true));
}

#[test]
fn nobody_listens() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    let (exchange, _) = get(&url);
    assert_eq!(
        (exchange.error, exchange.status),
        (Some(ErrorCode::ConnectionRefused), 0)
    );
    assert_eq!(
        exchange.timings.begin + exchange.timings.blocked,
        exchange.timings.end
    );
    assert_eq!(exchange.timings.duration(), 0);
}

#[test]
fn a_name_that_does_not_resolve() {
    // a label may have 63 characters: the resolver refuses it without asking anybody
    let (exchange, _) = on_worker(options(), async |worker| {
        let origin = Origin {
            https: false,
            host: "x".repeat(64),
            port: 80,
        };
        let wire = Wire::build(&RequestParts {
            method: "GET".into(),
            endpoint: worker.endpoint(&origin).unwrap(),
            path_and_query: "/".into(),
            authority: origin.authority(),
            headers: Vec::new(),
            body: Bytes::new(),
        });
        (
            client(&worker).execute(&wire.unwrap(), NONE, LONG).await,
            (),
        )
    });
    assert_eq!(exchange.error, Some(ErrorCode::Dns));
    assert!(exchange.timings.looking_up > 0);
}

#[test]
fn a_name_is_resolved_once() {
    let server =
        Server::closing("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    let url = format!("http://localhost:{}/", server.address.port());
    on_worker(options(), async |worker| {
        let wire = wire(&worker, "GET", &url);
        let first = client(&worker).execute(&wire, NONE, LONG).await;
        let second = client(&worker).execute(&wire, NONE, LONG).await;
        assert_eq!((first.error, second.error), (None, None));
        assert!(first.timings.looking_up > 0);
        assert_eq!(second.timings.looking_up, 0);
    });
}

/// A full accept queue swallows connects.
#[test]
fn a_connect_that_nobody_answers() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    rustix::net::listen(&listener, 0).unwrap();
    let address = listener.local_addr().unwrap();
    let mut filled = Vec::new();
    while let Ok(stream) = TcpStream::connect_timeout(&address, Duration::from_millis(100)) {
        filled.push(stream);
        assert!(filled.len() < 100, "the queue does not fill");
    }
    let short = TransportOptions {
        connect_timeout: Duration::from_millis(30),
        ..options()
    };
    let (exchange, _) = get_with(short, &format!("http://{address}/"));
    assert_eq!(exchange.error, Some(ErrorCode::ConnectTimeout));
    assert!(exchange.timings.connecting >= 30_000_000);
    // the request's own time-out is never longer
    let exchange = on_worker(options(), async |worker| {
        let wire = wire(&worker, "GET", &format!("http://{address}/"));
        client(&worker)
            .execute(&wire, NONE, Duration::from_millis(30))
            .await
    });
    assert_eq!(exchange.error, Some(ErrorCode::ConnectTimeout));
}

#[test]
fn a_reset() {
    let server = Server::start(|_, mut stream| {
        request(&mut stream);
        reset(stream);
    });
    let (exchange, _) = get(&server.url("/"));
    assert_eq!(
        (exchange.error, server.accepted()),
        (Some(ErrorCode::ConnectionReset), 1)
    );
}

#[test]
fn a_connection_that_ends_early() {
    assert_eq!(error_of(""), (Some(ErrorCode::ConnectionClosed), 0));
    assert_eq!(
        error_of("HTTP/1.1 200 OK\r\nContent-"),
        (Some(ErrorCode::ConnectionClosed), 0)
    );
    assert_eq!(
        error_of("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell"),
        (Some(ErrorCode::ConnectionClosed), 200)
    );
    assert_eq!(
        error_of("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"),
        (Some(ErrorCode::ConnectionClosed), 200)
    );
}

#[test]
fn what_is_not_http() {
    for reply in [
        "SSH-2.0-OpenSSH_9.9\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ] {
        assert_eq!(error_of(reply).0, Some(ErrorCode::Protocol), "{reply:?}");
    }
}

#[test]
fn bounds() {
    let endless = format!("HTTP/1.1 200 OK\r\nX: {}", "y".repeat(70_000));
    assert_eq!(error_of(&endless), (Some(ErrorCode::HeadersTooLarge), 0));
    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "a: b\r\n".repeat(300));
    assert_eq!(error_of(&many).0, Some(ErrorCode::HeadersTooLarge));
    let small = TransportOptions {
        max_body_bytes: 4,
        ..options()
    };
    let server = Server::closing(OK);
    assert_eq!(
        get_with(small.clone(), &server.url("/")).0.error,
        Some(ErrorCode::BodyTooLarge)
    );
    let server = Server::closing("HTTP/1.1 200 OK\r\n\r\nhello");
    assert_eq!(
        get_with(small, &server.url("/")).0.error,
        Some(ErrorCode::BodyTooLarge)
    );
}

/// What comes of a body `hello` that is said to be encoded, by whether the request asked for a coding and somebody looks.
fn said_to_be(coding: &str, asked: Option<&str>, keep: Keep) -> (Option<ErrorCode>, Vec<u8>) {
    let server = Server::replying(format!(
        "HTTP/1.1 200 OK\r\nContent-Encoding: {coding}\r\nContent-Length: 5\r\n\r\nhello"
    ));
    on_worker(options(), async |worker| {
        let target = absolute(None, &server.url("/")).unwrap();
        let asked = asked.map(|value| ("accept-encoding".to_owned(), value.into()));
        let wire = Wire::build(&RequestParts {
            method: "GET".into(),
            endpoint: worker.endpoint(&target.origin).unwrap(),
            authority: target.origin.authority(),
            path_and_query: "/".into(),
            headers: asked.into_iter().collect(),
            body: Bytes::new(),
        });
        let mut client = client(&worker);
        let exchange = client.execute(&wire.unwrap(), keep, LONG).await;
        assert_eq!((exchange.status, client.response().body_bytes()), (200, 5));
        (exchange.error, client.response().body().to_vec())
    })
}

#[test]
fn a_body_that_does_not_decompress() {
    for coding in ["gzip", "br", "zstd", "deflate", "identity, GZIP"] {
        let (error, _) = said_to_be(coding, Some("gzip, deflate, br, zstd"), ALL);
        assert_eq!(error, Some(ErrorCode::Decompression), "{coding}");
        // nobody looks at it, so nobody decompresses it
        let (error, _) = said_to_be(coding, Some("*"), NONE);
        assert_eq!(error, None, "{coding}");
    }
    let (error, _) = said_to_be(&["gzip"; 6].join(","), Some("gzip"), ALL);
    assert_eq!(error, Some(ErrorCode::Decompression));
}

#[test]
fn a_coding_that_nobody_asked_for_or_knows_is_left_alone() {
    for (coding, asked) in [
        ("utf-8", None),
        ("none", None),
        ("aws-chunked", Some("gzip")),
        ("compress", Some("compress")),
        ("gzip, unknown", Some("gzip")),
        ("gzip", None),
        ("br", Some("gzip, br;q=0")),
        ("zstd, gzip", Some("gzip")),
        ("identity", None),
        ("", None),
    ] {
        for keep in [ALL, NONE] {
            let (error, body) = said_to_be(coding, asked, keep);
            assert_eq!(error, None, "{coding}");
            assert_eq!(body, if keep.body { &b"hello"[..] } else { b"" });
        }
    }
}

#[test]
fn timeouts_wherever_the_target_stalls() {
    for reply in [
        "",
        "HTTP/1.1 200 OK\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell",
    ] {
        let server = Server::start(move |_, mut stream| {
            request(&mut stream);
            stream.write_all(reply.as_bytes()).unwrap();
            wait_for_close(&mut stream);
        });
        on_worker(options(), async |worker| {
            let wire = wire(&worker, "GET", &server.url("/"));
            let exchange = client(&worker)
                .execute(&wire, NONE, Duration::from_millis(40))
                .await;
            assert_eq!(exchange.error, Some(ErrorCode::Timeout), "{reply:?}");
            assert!(exchange.timings.end - exchange.timings.begin >= 40_000_000);
            let complete = exchange.received == reply.len() as u64 && reply.ends_with("hell");
            assert_eq!(exchange.status, if complete { 200 } else { 0 });
        });
    }
}

#[test]
fn a_target_that_does_not_read_times_out_while_writing() {
    let (done, ended) = std::sync::mpsc::channel::<()>();
    let ended = std::sync::Mutex::new(ended);
    let server = Server::start(move |_, stream| {
        let _ = ended.lock().unwrap().recv();
        drop(stream);
    });
    on_worker(options(), async |worker| {
        let body = Bytes::from(vec![b'x'; 32 << 20]);
        let wire = wire_with(&worker, "POST", &server.url("/"), body);
        let exchange = client(&worker)
            .execute(&wire, NONE, Duration::from_millis(50))
            .await;
        assert_eq!(exchange.error, Some(ErrorCode::Timeout));
        let timings = exchange.timings;
        assert!(
            timings.blocked + timings.sending >= 50_000_000,
            "{timings:?}"
        );
        assert!(timings.sending > 0 && timings.waiting == 0, "{timings:?}");
        assert!(exchange.sent > 0 && exchange.sent < wire.bytes().len() as u64);
    });
    drop(done);
}
