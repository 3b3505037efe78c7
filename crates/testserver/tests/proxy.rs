//! The fault-injecting proxy over the wire.
#![allow(clippy::unwrap_used)]

mod support;

use floodgate_testserver::proxy::{Fault, Proxy, Rule};
use floodgate_testserver::{Config, TestServer};
use std::time::Duration;
use support::Client;

fn get(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: t\r\n\r\n").into_bytes()
}

fn before(target: &TestServer) -> (Proxy, Client) {
    let proxy = Proxy::start(target.addr()).unwrap();
    let addr = proxy.url().trim_start_matches("http://").parse().unwrap();
    (proxy, Client::connect(addr))
}

#[test]
fn requests_pass_until_a_rule_names_them() {
    let target = TestServer::start(Config::fast()).unwrap();
    let (proxy, mut client) = before(&target);
    client.send(&get("/a"));
    let answer = client.receive();
    assert_eq!((answer.status, answer.body.len()), (200, 128));

    proxy.set(vec![Rule::path("/a", Fault::Status(503))]);
    client.send(&get("/a"));
    assert_eq!(client.receive().status, 503);
    client.send(&get("/b"));
    assert_eq!(client.receive().status, 200);
    assert_eq!((target.counters().requests(), proxy.faults()), (2, 1));

    proxy.set(vec![Rule::all(Fault::Close)]);
    client.send(&get("/a"));
    assert!(client.rest().0.is_empty());
    assert_eq!(target.counters().requests(), 2);
}

#[test]
fn a_held_request_goes_on_when_its_rule_does() {
    let target = TestServer::start(Config::fast()).unwrap();
    let (proxy, mut client) = before(&target);
    proxy.set(vec![Rule::all(Fault::Hold)]);
    client.send(&get("/a"));
    while proxy.faults() == 0 {
        std::thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(target.counters().requests(), 0);
    proxy.set(vec![Rule::path("/elsewhere", Fault::Hold)]);
    assert_eq!(client.receive().status, 200);
    assert_eq!((target.counters().requests(), proxy.faults()), (1, 1));
}
