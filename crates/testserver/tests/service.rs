//! The demo shop over the wire.
#![allow(clippy::unwrap_used)]

mod support;

use floodgate_testserver::{Config, TestServer, tls};
use std::io::Read;
use std::time::{Duration, Instant};
use support::{Client, client_config, h2_get, h2_send, runtime, tls_connect};

#[test]
fn the_shop_sells() {
    let target = TestServer::start(Config::prompt_service()).unwrap();
    let mut client = Client::connect(target.addr());
    let home = client.get("/");
    assert_eq!(home.status, 200);
    assert!(home.text().contains("Welcome"));
    assert_eq!(
        home.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    assert_eq!(
        client.get("/api/products").json()["products"]
            .as_array()
            .unwrap()
            .len(),
        20
    );
    assert_eq!(client.get("/api/products/7").json()["sku"], "sku-007");
    assert_eq!(client.get("/api/products/21").status, 404);

    let login = client.request("POST", "/api/login", "", r#"{"user":"ada","password":"x"}"#);
    let token = login.json()["token"].as_str().unwrap().to_owned();
    assert!(
        login
            .header("set-cookie")
            .unwrap()
            .starts_with(&format!("session={token};"))
    );
    let order = client.request("POST", "/api/checkout", "", r#"{"sku":"sku-007"}"#);
    assert_eq!(
        (order.status, order.json()["state"].as_str()),
        (201, Some("open"))
    );
    assert_eq!(order.json()["sku"], "sku-007");
    assert_ne!(
        client.request("POST", "/api/checkout", "", "{}").json()["order"],
        order.json()["order"]
    );
    assert_eq!(client.get("/api/orders/o-2").json()["order"], "o-2");
    for unknown in ["o-0", "o-3", "2", "o-x", "o-01x"] {
        let answer = client.get(&format!("/api/orders/{unknown}"));
        assert_eq!(answer.status, 404, "{unknown}");
    }
    assert_eq!(client.request("POST", "/api/checkout", "", "{").status, 400);
    assert_eq!(client.get("/api/login").status, 405);
}

#[test]
fn every_request_is_counted_once_and_asking_is_free() {
    let target = TestServer::start(Config::prompt_service()).unwrap();
    let clients = 3;
    for _ in 0..clients {
        let mut client = Client::connect(target.addr());
        for path in ["/", "/echo?a=1", "/echo?a=2", "/status/500", "/nowhere"] {
            client.get(path);
        }
    }
    let counted = Client::connect(target.addr()).get("/count").json();
    assert_eq!(counted["requests"], 5 * clients);
    assert_eq!(counted["paths"]["/echo"], 2 * clients);
    assert_eq!(counted["connections"], clients + 1);
    assert_eq!(target.counters().path("/status/500"), clients);
    assert_eq!(target.counters().requests(), 5 * clients);
}

#[test]
fn odd_ends_of_http() {
    let target = TestServer::start(Config::prompt_service()).unwrap();
    let mut client = Client::connect(target.addr());
    let redirect = client.get("/redirect/2");
    assert_eq!(
        (redirect.status, redirect.header("location")),
        (302, Some("/redirect/1"))
    );
    assert_eq!(client.get("/redirect/0").text(), "arrived");
    for code in [200, 204, 304, 404, 418, 503] {
        assert_eq!(client.get(&format!("/status/{code}")).status, code);
    }
    for wrong in [
        "/status/199",
        "/status/600",
        "/bytes/x",
        "/bytes/67108865",
        "/delay/60001",
        "/redirect/-1",
    ] {
        assert_eq!(client.get(wrong).status, 400, "{wrong}");
    }
    assert_eq!(client.get("/bytes/100000").body.len(), 100_000);
    let echo = client
        .request("PUT", "/echo?q=1", "x-a: b\r\n", "hello")
        .json();
    let seen = (
        echo["method"].as_str(),
        echo["query"].as_str(),
        echo["headers"]["x-a"].as_str(),
        echo["body"].as_str(),
    );
    assert_eq!(seen, (Some("PUT"), Some("q=1"), Some("b"), Some("hello")));
    assert_eq!(
        client.get("/cookies/set?a=1").header("set-cookie"),
        Some("a=1; Path=/")
    );
    let cookies = client
        .request("GET", "/cookies", "cookie: a=1; b=2\r\n", "")
        .json();
    assert_eq!(
        cookies["cookies"],
        serde_json::json!({ "a": "1", "b": "2" })
    );
    assert_eq!(
        client.get("/basic-auth/u/p").header("www-authenticate"),
        Some("Basic realm=\"shop\"")
    );
    assert_eq!(
        client
            .request(
                "GET",
                "/basic-auth/u/p",
                "authorization: Basic dTpw\r\n",
                ""
            )
            .status,
        200
    );
    assert_eq!(
        client
            .request(
                "GET",
                "/basic-auth/u/q",
                "authorization: Basic dTpw\r\n",
                ""
            )
            .status,
        401
    );
    assert_eq!(client.get("/bearer").status, 401);
    assert_eq!(
        client
            .request("GET", "/bearer", "authorization: Bearer t0\r\n", "")
            .json()["token"],
        "t0"
    );
}

#[test]
fn encodings_decode_to_the_same_text() {
    let target = TestServer::start(Config::prompt_service()).unwrap();
    let mut client = Client::connect(target.addr());
    let mut texts = Vec::new();
    for (path, name) in [
        ("/gzip", "gzip"),
        ("/deflate", "deflate"),
        ("/brotli", "br"),
    ] {
        let answer = client.get(path);
        assert_eq!(answer.header("content-encoding"), Some(name));
        let mut text = String::new();
        match name {
            "gzip" => flate2::read::GzDecoder::new(&answer.body[..])
                .read_to_string(&mut text)
                .unwrap(),
            "deflate" => flate2::read::ZlibDecoder::new(&answer.body[..])
                .read_to_string(&mut text)
                .unwrap(),
            _ => brotli::Decompressor::new(&answer.body[..], 4096)
                .read_to_string(&mut text)
                .unwrap(),
        };
        assert!(answer.body.len() < text.len());
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(json["encoding"], name);
        texts.push(json["text"].clone());
    }
    assert!(texts.iter().all(|text| *text == texts[0]));
}

#[test]
fn a_delay_is_never_shorter_than_asked_and_pages_take_their_time() {
    let target = TestServer::start(Config::service()).unwrap();
    let mut client = Client::connect(target.addr());
    for (path, least) in [("/delay-us/1500", 1_500), ("/delay/3", 3_000), ("/", 2_000)] {
        let start = Instant::now();
        assert_eq!(client.get(path).status, 200);
        assert!(start.elapsed() >= Duration::from_micros(least), "{path}");
    }
}

#[test]
fn http2_with_prior_knowledge_and_by_alpn() {
    let plain = TestServer::start(Config::prompt_service()).unwrap();
    let secure = TestServer::start(Config::prompt_service().with_tls(tls::Mode::Valid)).unwrap();
    let config = client_config(secure.ca_pem().unwrap(), None, &[b"h2"]);
    runtime().block_on(async {
        let tcp = tokio::net::TcpStream::connect(plain.addr()).await.unwrap();
        let (status, body) = h2_get(tcp, "http://t/echo").await;
        let echo: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!((status, echo["version"].as_str()), (200, Some("HTTP/2.0")));

        let stream = tls_connect(secure.addr(), config).await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(b"h2".as_slice()));
        let (status, body) = h2_get(stream, "https://t/bytes/300000").await;
        assert_eq!((status, body.len()), (200, 300_000));

        // Content in the answer to HEAD would be a protocol error.
        let tcp = tokio::net::TcpStream::connect(plain.addr()).await.unwrap();
        let head = h2_send(tcp, http::Method::HEAD, "http://t/bytes/1000").await;
        assert_eq!(head, (200, Vec::new()));
    });
    assert_eq!(
        (
            plain.counters().path("/echo"),
            secure.counters().path("/bytes/300000")
        ),
        (1, 1)
    );
}

#[test]
fn stopping_closes_connections_and_frees_the_port() {
    let target = TestServer::start(Config::prompt_service()).unwrap();
    let addr = target.addr();
    let mut client = Client::connect(addr);
    client.get("/");
    assert_eq!(target.counters().open_connections(), 1);
    target.stop();
    assert_eq!(client.rest().0, b"");
    TestServer::start(Config {
        port: addr.port(),
        ..Config::prompt_service()
    })
    .unwrap();
}
