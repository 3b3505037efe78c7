//! A flow through the native client and a socket.

use super::support::*;
use crate::clock::{Clock, Nanos};
use crate::flow::{
    CompiledScenario, Files, IterationEnd, IterationStart, Native, Place, ThinkTimer, Vu,
};
use crate::http::{TransportId, TransportOptions, Worker};
use floodgate_core::check::{Subject, Test};
use floodgate_core::definition::{Body, Extractor, HttpOptions, RequestStep};
use serde_json_path::JsonPath;
use std::cell::RefCell;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::rc::Rc;

struct NoThinking(Clock);

impl ThinkTimer for NoThinking {
    fn now(&self) -> Nanos {
        self.0.now()
    }

    async fn sleep_until(&self, _at: Nanos) -> Nanos {
        self.0.now()
    }
}

/// Answers the requests of one connection in turn; the result is what they were.
fn serve(
    listener: TcpListener,
    responses: &'static [&'static str],
) -> std::thread::JoinHandle<Vec<String>> {
    std::thread::spawn(move || {
        let mut stream = BufReader::new(listener.accept().unwrap().0);
        let mut requests = Vec::new();
        for response in responses {
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") {
                assert_ne!(
                    stream.read_line(&mut head).unwrap(),
                    0,
                    "closed within {head:?}"
                );
            }
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("Content-Length: "));
            let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
            stream.read_exact(&mut body).unwrap();
            requests.push(head + std::str::from_utf8(&body).unwrap());
            stream.get_mut().write_all(response.as_bytes()).unwrap();
        }
        requests
    })
}

#[test]
fn a_login_goes_over_one_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let server = serve(
        listener,
        &[
            "HTTP/1.1 302 Found\r\nLocation: /home\r\nSet-Cookie: sid=abc\r\nContent-Length: 0\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 22\r\n\r\n{\"order\":7,\"ok\":\"yes\"}",
            "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n",
        ],
    );
    let path = |text: &str| JsonPath::parse(text).unwrap();
    let yes = Test::Text {
        equal: true,
        value: "yes".into(),
    };
    let login = RequestStep {
        checks: vec![check("ok", Subject::JsonPath(path("$.ok")), yes)],
        extract: vec![("order".into(), Extractor::JsonPath(path("$.order")))],
        ..post("/login", Body::Form(pairs(&[("user", "${vu}")])))
    };
    let mut definition = definition(vec![step(login), step(get("/orders/${order}"))]);
    definition.target = Some(base);

    let clock = Clock::start();
    let options =
        TransportOptions::from(&HttpOptions::default(), |path| panic!("{path} is read")).unwrap();
    let worker = Worker::new(clock, &[options]).unwrap();
    let given = crate::flow::Given::new();
    let place = Place {
        given: &given,
        execution: "e",
        task: 0,
    };
    let prepare = |request: &crate::flow::Request| Native::wire(&worker, request, None);
    let scenario =
        CompiledScenario::compile(&definition, 0, &Files::default(), place, prepare).unwrap();
    let (mut io, mut vu) = (Native::new(Rc::clone(&worker), TransportId(0)), Vu::new(5));
    let log = RefCell::new(Log::default());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let end = tokio::task::LocalSet::new().block_on(&runtime, async {
        tokio::task::spawn_local(Rc::clone(&worker).run_deadlines());
        let start = IterationStart {
            iteration: 0,
            intended: 0,
            actual: clock.now(),
        };
        let timer = NoThinking(clock);
        Box::pin(vu.iterate(&scenario, start, &mut io, &timer, &log)).await
    });
    assert!(matches!(end, IterationEnd::Completed { .. }));
    let log = log.into_inner();
    let seen: Vec<_> = log
        .http
        .iter()
        .map(|(_, exchange, _, _)| (exchange.status, exchange.error))
        .collect();
    assert_eq!(seen, [(302, None), (200, None), (201, None)]);
    assert_eq!(log.outcomes(), [("ok", true)]);
    assert_eq!(
        (log.http[0].2, log.http[1].2),
        (0, log.http[0].1.timings.end)
    );

    let requests = server.join().unwrap();
    assert!(
        requests[0].starts_with("POST /login HTTP/1.1\r\n")
            && requests[0].ends_with("\r\n\r\nuser=5"),
        "{}",
        requests[0]
    );
    assert!(
        requests[1].starts_with("GET /home HTTP/1.1\r\n")
            && requests[1].contains("\r\nCookie: sid=abc\r\n")
    );
    assert!(!requests[1].contains("Content-Type"), "{}", requests[1]);
    assert!(
        requests[2].starts_with("GET /orders/7 HTTP/1.1\r\n")
            && requests[2].contains("\r\nCookie: sid=abc\r\n")
    );
}
