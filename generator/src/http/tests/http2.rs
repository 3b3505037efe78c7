//! HTTP/2 with a server whose paths are its script.

use super::*;
use crate::exchange::ErrorCode;
use ::http::{Request, Response};
use exchange::Version;
use floodgate_core::definition::{ConnectionMode, HttpVersion};
use h2::server::SendResponse;
use h2::{Reason, RecvStream};
use rustls::ServerConfig;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncRead, AsyncWrite};

pub(super) struct H2Server {
    pub(super) address: SocketAddr,
    pub(super) accepted: Arc<AtomicUsize>,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Drop for H2Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        self.thread.take().unwrap().join().unwrap();
    }
}

/// `/size/N`: N bytes; `/echo`: the body; `/stall`: nothing; `/refuse-first`, `/reset`: the stream ends with that reset
/// (the former the first time only); `/bye`: a connection that goes away after the response.
pub(super) fn serve_h2(tls: Option<Arc<ServerConfig>>) -> H2Server {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    let accepted = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&accepted);
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let thread = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        tokio::task::LocalSet::new().block_on(&runtime, async {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            let accept = async {
                loop {
                    let (stream, _) = listener.accept().await.unwrap();
                    let number = count.fetch_add(1, Ordering::SeqCst);
                    let tls = tls.clone();
                    tokio::task::spawn_local(async move {
                        match tls {
                            None => connection(stream, number).await,
                            Some(config) => {
                                if let Ok(stream) =
                                    tokio_rustls::TlsAcceptor::from(config).accept(stream).await
                                {
                                    connection(stream, number).await;
                                }
                            }
                        }
                    });
                }
            };
            tokio::select! { _ = stopped => {}, () = accept => {} }
        });
    });
    H2Server {
        address,
        accepted,
        stop: Some(stop),
        thread: Some(thread),
    }
}

async fn connection(stream: impl AsyncRead + AsyncWrite + Unpin, number: usize) {
    let Ok(mut connection) = h2::server::Builder::new()
        .max_concurrent_streams(8)
        .handshake::<_, Bytes>(stream)
        .await
    else {
        return;
    };
    let mut stalled = Vec::new();
    let mut refuses = number == 0;
    while let Some(Ok((request, mut respond))) = connection.accept().await {
        let path = request.uri().path().to_owned();
        match path.as_str() {
            "/stall" => stalled.push(respond),
            "/reset" => respond.send_reset(Reason::INTERNAL_ERROR),
            "/refuse-first" if std::mem::take(&mut refuses) => {
                respond.send_reset(Reason::REFUSED_STREAM);
            }
            "/bye" => {
                tokio::task::spawn_local(answer(request, respond));
                connection.graceful_shutdown();
            }
            _ => drop(tokio::task::spawn_local(answer(request, respond))),
        }
    }
}

async fn answer(request: Request<RecvStream>, mut respond: SendResponse<Bytes>) {
    let (head, mut body) = request.into_parts();
    let mut data = Vec::new();
    if head.uri.path() == "/echo" {
        while let Some(Ok(piece)) = body.data().await {
            body.flow_control().release_capacity(piece.len()).unwrap();
            data.extend_from_slice(&piece);
        }
    } else if let Some(size) = head.uri.path().strip_prefix("/size/") {
        data = vec![b'x'; size.parse().unwrap()];
    }
    let seen = format!(
        "{} {}",
        head.method,
        head.headers
            .get("user-agent")
            .map_or("", |value| value.to_str().unwrap())
    );
    let response = Response::builder().header("x-seen", seen).body(()).unwrap();
    if let Ok(mut stream) = respond.send_response(response, data.is_empty())
        && !data.is_empty()
    {
        let _ = stream.send_data(Bytes::from(data), true);
    }
}

fn h2c() -> TransportOptions {
    TransportOptions {
        version: HttpVersion::Http2,
        ..options()
    }
}

fn url(server: &H2Server, path: &str) -> String {
    format!("http://{}{path}", server.address)
}

#[test]
fn prior_knowledge_on_one_connection() {
    let server = serve_h2(None);
    on_worker(h2c(), async |worker| {
        let mut client = client(&worker);
        for size in [0, 5, 3_000_000] {
            let path = format!("/size/{size}");
            let exchange = client
                .execute(&wire(&worker, "GET", &url(&server, &path)), ALL, LONG)
                .await;
            assert_eq!(
                (exchange.error, exchange.status, exchange.version),
                (None, 200, Version::Http2)
            );
            assert_eq!(client.response().body().len(), size);
            assert_eq!(client.response().get("X-Seen"), Some(&b"GET test"[..]));
            assert!(exchange.received >= size as u64 && exchange.sent > 0);
        }
    });
    assert_eq!(server.accepted.load(Ordering::SeqCst), 1);
}

#[test]
fn bodies_are_sent_however_large() {
    let server = serve_h2(None);
    on_worker(h2c(), async |worker| {
        let mut client = client(&worker);
        let body: Vec<u8> = (0..2_000_000u32).map(|at| at as u8).collect();
        let wire = wire_with(
            &worker,
            "POST",
            &url(&server, "/echo"),
            Bytes::from(body.clone()),
        );
        let exchange = client.execute(&wire, ALL, LONG).await;
        assert_eq!(
            (exchange.error, client.response().body() == body),
            (None, true)
        );
        assert!(exchange.sent > 2_000_000);
    });
}

#[test]
fn a_shared_connection_carries_as_many_requests_as_the_peer_allows() {
    let server = serve_h2(None);
    on_worker(
        TransportOptions {
            connections: ConnectionMode::Shared,
            ..h2c()
        },
        async |worker| {
            for _ in 0..2 {
                let tasks: Vec<_> = (0..8)
                    .map(|_| {
                        let (mut client, wire) = (
                            client(&worker),
                            wire(&worker, "GET", &url(&server, "/size/100")),
                        );
                        tokio::task::spawn_local(
                            async move { client.execute(&wire, NONE, LONG).await },
                        )
                    })
                    .collect();
                for task in tasks {
                    let exchange = task.await.unwrap();
                    assert_eq!((exchange.error, exchange.status), (None, 200));
                }
            }
        },
    );
    assert_eq!(server.accepted.load(Ordering::SeqCst), 1);
}

#[test]
fn failures_of_a_stream_have_their_codes() {
    let server = serve_h2(None);
    on_worker(
        TransportOptions {
            max_body_bytes: 10,
            ..h2c()
        },
        async |worker| {
            let mut client = client(&worker);
            let mut run = async |path: &str, timeout| {
                client
                    .execute(&wire(&worker, "GET", &url(&server, path)), ALL, timeout)
                    .await
                    .error
            };
            assert_eq!(run("/reset", LONG).await, Some(ErrorCode::ConnectionReset));
            assert_eq!(run("/size/11", LONG).await, Some(ErrorCode::BodyTooLarge));
            assert_eq!(
                run("/stall", Duration::from_millis(30)).await,
                Some(ErrorCode::Timeout)
            );
            assert_eq!(run("/size/10", LONG).await, None);
        },
    );
}

#[test]
fn what_the_peer_has_not_handled_is_sent_again() {
    let server = serve_h2(None);
    on_worker(h2c(), async |worker| {
        let mut client = client(&worker);
        for path in ["/size/1", "/refuse-first", "/bye", "/size/2"] {
            let wire = wire(&worker, "POST", &url(&server, path));
            let exchange = client.execute(&wire, NONE, LONG).await;
            assert_eq!((exchange.error, exchange.status), (None, 200), "{path}");
        }
    });
    assert_eq!(server.accepted.load(Ordering::SeqCst), 2);
}

#[test]
fn those_who_lose_a_shared_connection_share_the_next_one() {
    let server = serve_h2(None);
    on_worker(
        TransportOptions {
            connections: ConnectionMode::Shared,
            ..h2c()
        },
        async |worker| {
            let bye = wire(&worker, "GET", &url(&server, "/bye"));
            assert_eq!(client(&worker).execute(&bye, NONE, LONG).await.error, None);
            let tasks: Vec<_> = (0..8)
                .map(|_| {
                    let (mut client, wire) = (
                        client(&worker),
                        wire(&worker, "GET", &url(&server, "/size/100")),
                    );
                    tokio::task::spawn_local(async move {
                        client.execute(&wire, NONE, LONG).await.error
                    })
                })
                .collect();
            for task in tasks {
                assert_eq!(task.await.unwrap(), None);
            }
        },
    );
    assert!(server.accepted.load(Ordering::SeqCst) <= 2);
}

#[test]
fn a_peer_that_speaks_another_protocol() {
    let server =
        super::server::Server::replying("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
    let (exchange, _) = get_with(h2c(), &server.url("/"));
    assert_eq!(exchange.error, Some(ErrorCode::Protocol));
}
