//! The client against servers that do exactly what a script says.

mod connections;
mod errors;
mod expect;
mod floods;
mod http2;
mod http2_faults;
mod peer;
mod server;
mod tls;
mod trust;
mod ways;

use super::*;
use crate::clock::Clock;
use bytes::Bytes;
use exchange::HttpExchange;
use floodgate_core::definition::HttpOptions;
use std::rc::Rc;
use std::time::Duration;

/// Long enough for any test to end before it.
const LONG: Duration = Duration::from_secs(30);
const ALL: Keep = Keep {
    headers: true,
    body: true,
};
const NONE: Keep = Keep {
    headers: false,
    body: false,
};

fn options() -> TransportOptions {
    TransportOptions::from(&HttpOptions::default(), |path| panic!("{path} is read")).unwrap()
}

/// Runs a test on a worker with one transport.
fn on_worker<T>(options: TransportOptions, test: impl AsyncFnOnce(Rc<Worker>) -> T) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let worker = Worker::new(Clock::start(), &[options]).unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, async {
        tokio::task::spawn_local(Rc::clone(&worker).run_deadlines());
        test(worker).await
    })
}

fn client(worker: &Rc<Worker>) -> Client {
    Client::new(Rc::clone(worker), TransportId(0))
}

fn wire_with(worker: &Worker, method: &str, url: &str, body: Bytes) -> Wire {
    let target = absolute(None, url).unwrap();
    Wire::build(&RequestParts {
        method: method.to_owned(),
        endpoint: worker.endpoint(&target.origin).unwrap(),
        authority: target.origin.authority(),
        path_and_query: target.path_and_query,
        headers: vec![("User-Agent".to_owned(), b"test".to_vec())],
        body,
    })
    .unwrap()
}

fn wire(worker: &Worker, method: &str, url: &str) -> Wire {
    wire_with(worker, method, url, Bytes::new())
}

/// One `GET` with default options; the exchange and the body.
fn get(url: &str) -> (HttpExchange, Vec<u8>) {
    get_with(options(), url)
}

fn get_with(options: TransportOptions, url: &str) -> (HttpExchange, Vec<u8>) {
    on_worker(options, async |worker| {
        let mut client = client(&worker);
        let exchange = client.execute(&wire(&worker, "GET", url), ALL, LONG).await;
        (exchange, client.response().body().to_vec())
    })
}
