//! Kept connections that the target has closed meanwhile, or that say something unasked.

use super::*;

/// The first connection answers once and is gone when `seen` says so; the others answer always.
fn giving_up(after_reading: bool) -> (Server, mpsc::Receiver<()>) {
    let (send, seen) = mpsc::channel();
    let server = Server::start(move |number, mut stream| {
        request(&mut stream);
        stream.write_all(OK).unwrap();
        if number == 0 {
            if after_reading {
                request(&mut stream);
            }
            drop(stream);
            let _ = send.send(());
            return;
        }
        while request(&mut stream).is_some() {
            stream.write_all(OK).unwrap();
        }
    });
    (server, seen)
}

/// The second request of a client whose connection is given up meanwhile or after it was read.
fn second(method: &str, after_reading: bool) -> (Option<ErrorCode>, u64, usize) {
    let (server, seen) = giving_up(after_reading);
    let (error, blocked) = on_worker(options(), async |worker| {
        let wire = wire(&worker, method, &server.url("/"));
        let mut client = client(&worker);
        assert_eq!(client.execute(&wire, NONE, LONG).await.error, None);
        if !after_reading {
            seen.recv().unwrap();
            // for the reactor to hear of it
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let exchange = client.execute(&wire, ALL, LONG).await;
        if exchange.error.is_none() {
            assert_eq!(client.response().body(), b"ok");
        }
        (exchange.error, exchange.timings.blocked)
    });
    (error, blocked, server.accepted())
}

#[test]
fn a_request_on_a_stale_connection_is_sent_again() {
    for (method, after_reading) in [
        ("GET", false),
        ("GET", true),
        ("PUT", true),
        ("POST", false),
    ] {
        let (error, blocked, accepted) = second(method, after_reading);
        assert_eq!((error, accepted), (None, 2), "{method} {after_reading}");
        assert!(blocked > 0);
    }
}

#[test]
fn a_request_that_may_have_been_handled_is_not_sent_again() {
    let (error, _, accepted) = second("POST", true);
    assert_eq!((error, accepted), (Some(ErrorCode::ConnectionClosed), 1));
}

/// Where one idle connection of a pool is stale, the others are, too: the retry is on a new one.
#[test]
fn a_restarted_target_costs_a_shared_pool_nothing_but_connections() {
    let barrier = std::sync::Arc::new(std::sync::Barrier::new(3));
    let (closed, was_closed) = mpsc::channel();
    let server = Server::start(move |number, mut stream| {
        request(&mut stream);
        if number < 3 {
            barrier.wait();
            stream.write_all(OK).unwrap();
            // reads the next request, and never answers it
            request(&mut stream);
            drop(stream);
            closed.send(()).unwrap();
            return;
        }
        stream.write_all(OK).unwrap();
        wait_for_close(&mut stream);
    });
    let shared = TransportOptions {
        connections: ConnectionMode::Shared,
        ..options()
    };
    on_worker(shared, async |worker| {
        let tasks: Vec<_> = (0..3)
            .map(|_| {
                let (mut client, wire) = (client(&worker), wire(&worker, "GET", &server.url("/")));
                tokio::task::spawn_local(
                    async move { client.execute(&wire, NONE, LONG).await.error },
                )
            })
            .collect();
        for task in tasks {
            assert_eq!(task.await.unwrap(), None);
        }
        let wire = wire(&worker, "GET", &server.url("/"));
        assert_eq!(client(&worker).execute(&wire, NONE, LONG).await.error, None);
        was_closed.recv().unwrap();
    });
    assert_eq!(server.accepted(), 4);
}

#[test]
fn a_new_connection_is_not_tried_again() {
    let server = Server::closing("");
    let (exchange, _) = get(&server.url("/"));
    assert_eq!(
        (exchange.error, server.accepted()),
        (Some(ErrorCode::ConnectionClosed), 1)
    );
}

/// What a connection is told while nobody uses it is not an answer to the next request, which goes on a new connection.
#[test]
fn what_comes_unasked_between_requests_spoils_the_connection_alone() {
    for unasked in [
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nbad",
        "HTTP/1.1 408 Request Time-out\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\n",
        "\r\n",
    ] {
        for method in ["GET", "POST"] {
            let (done, ended) = mpsc::channel::<()>();
            let (send, sent) = mpsc::channel();
            let ended = std::sync::Mutex::new(ended);
            let server = Server::start(move |number, mut stream| {
                request(&mut stream);
                stream.write_all(OK).unwrap();
                if number == 0 {
                    ended.lock().unwrap().recv().unwrap();
                    stream.write_all(unasked.as_bytes()).unwrap();
                    send.send(()).unwrap();
                    wait_for_close(&mut stream);
                }
                while request(&mut stream).is_some() {
                    stream.write_all(OK).unwrap();
                }
            });
            on_worker(options(), async |worker| {
                let wire = wire(&worker, method, &server.url("/"));
                let mut client = client(&worker);
                assert_eq!(client.execute(&wire, NONE, LONG).await.error, None);
                done.send(()).unwrap();
                sent.recv().unwrap();
                // for the reactor to hear of it
                tokio::time::sleep(Duration::from_millis(5)).await;
                for _ in 0..2 {
                    let exchange = client.execute(&wire, ALL, LONG).await;
                    assert_eq!((exchange.error, exchange.status), (None, 200), "{unasked}");
                    assert_eq!(client.response().body(), b"ok");
                }
            });
            assert_eq!(server.accepted(), 2, "{unasked}");
        }
    }
}

/// The same, just too late for the request not to be sent.
#[test]
fn what_crosses_a_request_on_its_way_is_no_answer_to_it() {
    let timeout = "HTTP/1.1 408 Request Time-out\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    let late_body = "{}HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    for (crossing, method, error, accepted) in [
        (timeout, "GET", None, 2),
        (timeout, "POST", None, 2),
        (late_body, "GET", None, 2),
        // it may have been handled, so it is not sent again
        (late_body, "POST", Some(ErrorCode::Protocol), 1),
    ] {
        for connections in [ConnectionMode::PerVu, ConnectionMode::Shared] {
            let server = Server::start(move |number, mut stream| {
                request(&mut stream);
                stream.write_all(OK).unwrap();
                while request(&mut stream).is_some() {
                    let answer = if number == 0 { crossing.as_bytes() } else { OK };
                    stream.write_all(answer).unwrap();
                }
            });
            let options = TransportOptions {
                connections,
                ..options()
            };
            on_worker(options, async |worker| {
                let wire = wire(&worker, method, &server.url("/"));
                let mut client = client(&worker);
                assert_eq!(client.execute(&wire, NONE, LONG).await.error, None);
                let exchange = client.execute(&wire, NONE, LONG).await;
                assert_eq!(exchange.error, error, "{crossing} {method}");
                let status = if error.is_none() { 200 } else { 0 };
                assert_eq!(exchange.status, status, "{crossing} {method}");
            });
            assert_eq!(server.accepted(), accepted, "{crossing} {method}");
        }
    }
}
