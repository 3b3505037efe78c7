//! Ways to a target other than straight: proxies, Unix sockets, addresses in place of names.

use super::server::{Server, request, wait_for_close};
use super::tls::{Authority, https, trusting};
use super::*;
use crate::exchange::ErrorCode;
use floodgate_core::definition::{HostOverride, HttpVersion, ProxyChoice, ProxyUrl};
use floodgate_core::targets::Targets;
use floodgate_records::connections::Connections;
use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc;

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// A server that tells what it was asked, and the requests.
fn telling() -> (Server, mpsc::Receiver<String>) {
    let (send, seen) = mpsc::channel();
    let server = Server::start(move |_, mut stream| {
        while let Some(text) = request(&mut stream) {
            send.send(text).unwrap();
            stream.write_all(OK).unwrap();
        }
    });
    (server, seen)
}

/// A proxy that makes tunnels, after `before` in the same write as its answer.
fn tunnelling(before: &'static str) -> (Server, mpsc::Receiver<String>) {
    let (send, seen) = mpsc::channel();
    let server = Server::start(move |_, mut client| {
        let Some(text) = request(&mut client) else {
            return;
        };
        let place = text.split(' ').nth(1).unwrap().to_owned();
        send.send(text).unwrap();
        let mut target = TcpStream::connect(place.replace("localhost", "127.0.0.1")).unwrap();
        client.write_all(before.as_bytes()).unwrap();
        client
            .write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")
            .unwrap();
        let (mut from, mut to) = (client.try_clone().unwrap(), target.try_clone().unwrap());
        std::thread::spawn(move || {
            let _ = std::io::copy(&mut from, &mut to);
            let _ = to.shutdown(std::net::Shutdown::Write);
        });
        let _ = std::io::copy(&mut target, &mut client);
    });
    (server, seen)
}

fn through(text: &str) -> TransportOptions {
    TransportOptions {
        proxy: Some(ProxyChoice::Url(ProxyUrl::parse(text).unwrap())),
        ..options()
    }
}

/// So many requests of one client, and what became of connections.
fn ask(options: TransportOptions, url: &str, times: usize) -> (Vec<HttpExchange>, Connections) {
    on_worker(options, async |worker| {
        let wire = wire(&worker, "GET", url);
        let mut client = client(&worker);
        let mut all = Vec::new();
        for _ in 0..times {
            all.push(client.execute(&wire, NONE, LONG).await);
        }
        (all, worker.connections())
    })
}

fn errors(exchanges: &[HttpExchange]) -> Vec<Option<ErrorCode>> {
    exchanges.iter().map(|exchange| exchange.error).collect()
}

#[test]
fn a_proxy_is_handed_whole_urls_on_a_kept_connection() {
    let (proxy, seen) = telling();
    let options = through(&format!("http://ann:s3cret@{}", proxy.address));
    let (exchanges, account) = ask(options, "http://shop.test:81/a?b=c", 2);
    assert_eq!(errors(&exchanges), [None, None]);
    let text = seen.recv().unwrap();
    assert_eq!(
        text,
        "GET http://shop.test:81/a?b=c HTTP/1.1\r\nProxy-Authorization: Basic YW5uOnMzY3JldA==\r\n\
         Host: shop.test:81\r\nUser-Agent: test\r\n\r\n"
    );
    assert_eq!(seen.recv().unwrap(), text);
    assert_eq!(exchanges[0].sent, text.len() as u64);
    assert_eq!(proxy.accepted(), 1);
    let way = format!("proxy http://***@{}", proxy.address);
    assert_eq!(account.routes, [(way, 1)].into());
}

#[test]
fn https_goes_through_a_tunnel_whatever_comes_before_the_answer() {
    let authority = Authority::new();
    let target = https(authority.server("localhost", &["http/1.1"], None));
    for before in ["", "HTTP/1.1 103 Early Hints\r\n\r\n"] {
        let (proxy, seen) = tunnelling(before);
        let options = TransportOptions {
            proxy: through(&format!("http://a:b@{}", proxy.address)).proxy,
            ..trusting(&authority)
        };
        let port = target.address.port();
        let (exchanges, account) = ask(options, &format!("https://localhost:{port}/"), 2);
        assert_eq!(errors(&exchanges), [None, None]);
        let text = seen.recv().unwrap();
        assert!(
            text.starts_with(&format!("CONNECT localhost:{port} HTTP/1.1\r\n")),
            "{text}"
        );
        assert!(
            text.contains("\r\nProxy-Authorization: Basic YTpi\r\n"),
            "{text}"
        );
        assert_eq!((account.tls_handshakes, proxy.accepted()), (1, 1));
    }
}

#[test]
fn http_2_with_prior_knowledge_needs_a_tunnel_too() {
    let target = super::http2::serve_h2(None);
    let (proxy, seen) = tunnelling("");
    let options = TransportOptions {
        version: HttpVersion::Http2,
        ..through(&format!("http://{}", proxy.address))
    };
    let (exchanges, _) = ask(options, &format!("http://{}/size/3", target.address), 1);
    assert_eq!(errors(&exchanges), [None]);
    assert!(seen.recv().unwrap().starts_with("CONNECT "));
}

#[test]
fn a_proxy_that_fails_is_not_the_target() {
    let told_as = |user: &str, reply: &'static str| {
        let proxy = Server::closing(reply);
        let options = through(&format!("http://{user}{}", proxy.address));
        let (exchanges, account) = ask(options, "https://shop.test/", 1);
        assert_eq!(exchanges[0].error, Some(ErrorCode::Proxy), "{reply}");
        account.faults[0].reason.clone()
    };
    let told = |reply| told_as("", reply);
    let why = told("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n");
    assert!(
        why.contains("407 to CONNECT") && why.contains("USER:PASSWORD"),
        "{why}"
    );
    let no = "HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm=\"x\"\r\n\r\n";
    let why = told_as("ann:pw@", no);
    assert!(
        why.contains("does not take this user and password"),
        "{why}"
    );
    let no = "HTTP/1.1 407 No\r\nProxy-Authenticate: Digest realm=\"x\", nonce=\"y\"\r\n\r\n";
    let why = told_as("ann:pw@", no);
    assert!(
        why.contains("asks for Digest, and proxies are answered with Basic alone"),
        "{why}"
    );
    assert!(told("HTTP/1.1 503 No\r\n\r\n").contains("503"));
    assert!(told("SSH-2.0-OpenSSH\r\n").contains("HTTP"));
    assert!(told("HTTP/1.1 200 OK\r\n").contains("closed"));
    assert!(told("").contains("closed"));
    let nobody = Server::closing("").address;
    for url in ["http://shop.test/", "https://shop.test/"] {
        let (exchanges, account) = ask(through(&format!("http://{nobody}")), url, 1);
        assert_eq!(exchanges[0].error, Some(ErrorCode::Proxy));
        assert!(account.faults[0].reason.contains("connection_refused"));
    }
}

#[test]
fn a_proxys_endless_answer_is_given_up() {
    let proxy = Server::start(|_, mut stream| {
        request(&mut stream);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n");
        while stream.write_all(&[b'x'; 1000]).is_ok() {}
    });
    let options = through(&format!("http://{}", proxy.address));
    let (exchanges, _) = ask(options, "https://shop.test/", 1);
    assert_eq!(exchanges[0].error, Some(ErrorCode::Proxy));
    let silent = Server::start(|_, mut stream| wait_for_close(&mut stream));
    let exchange = on_worker(
        through(&format!("http://{}", silent.address)),
        async |worker| {
            let wire = wire(&worker, "GET", "https://shop.test/");
            client(&worker)
                .execute(&wire, NONE, Duration::from_millis(30))
                .await
        },
    );
    assert_eq!(exchange.error, Some(ErrorCode::Timeout));
}

#[test]
fn the_environment_names_a_proxy_and_its_exceptions() {
    let (proxy, seen) = telling();
    let target = Server::replying(OK);
    let variables = |no: &str| TransportOptions {
        variables: ProxyVariables {
            http: Some(("HTTP_PROXY", format!("http://{}", proxy.address))),
            https: None,
            no: no.to_owned(),
        },
        ..options()
    };
    let (exchanges, account) = ask(variables("shop.test"), &target.url("/"), 1);
    assert_eq!((errors(&exchanges), target.accepted()), (vec![None], 0));
    assert!(seen.recv().unwrap().starts_with("GET http://127.0.0.1:"));
    assert!(
        account
            .routes
            .keys()
            .all(|way| way.ends_with("(HTTP_PROXY)"))
    );
    let (exchanges, account) = ask(variables("127.0.0.0/8"), &target.url("/"), 1);
    assert_eq!((errors(&exchanges), target.accepted()), (vec![None], 1));
    assert_eq!(
        account.routes,
        [("no proxy (NO_PROXY)".to_owned(), 1)].into()
    );
    let odd = TransportOptions {
        variables: ProxyVariables {
            http: Some(("ALL_PROXY", "socks5://127.0.0.1:1".into())),
            ..ProxyVariables::default()
        },
        ..options()
    };
    let (exchanges, account) = ask(odd, &target.url("/"), 1);
    assert_eq!(exchanges[0].error, Some(ErrorCode::Proxy));
    assert!(account.faults[0].reason.contains("ALL_PROXY"));
}

#[test]
fn an_address_stands_in_for_a_name_and_everything_else_stays() {
    let (server, seen) = telling();
    let own = |from: &str, to: SocketAddr| TransportOptions {
        hosts: vec![HostOverride::parse(from, &to.to_string()).unwrap()],
        ..options()
    };
    let (exchanges, account) = ask(own("*.test", server.address), "http://shop.test/", 1);
    assert_eq!(errors(&exchanges), [None]);
    assert!(seen.recv().unwrap().contains("\r\nHost: shop.test\r\n"));
    let way = format!("shop.test at {}", server.address);
    assert_eq!(account.routes, [(way, 1)].into());
    let authority = Authority::new();
    let target = https(authority.server("shop.test", &[], None));
    let options = TransportOptions {
        ca: trusting(&authority).ca,
        ..own("shop.test", target.address)
    };
    let (exchanges, _) = ask(options, "https://shop.test/", 1);
    assert_eq!(errors(&exchanges), [None]);
}

#[test]
fn a_unix_socket_takes_all_connections() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("server.sock");
    let listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
    let (send, seen) = mpsc::channel();
    let serving = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        while let Some(text) = request(&mut stream) {
            send.send(text).unwrap();
            stream.write_all(OK).unwrap();
        }
    });
    let to = |path: &std::path::Path| TransportOptions {
        unix_socket: Some(path.to_str().unwrap().to_owned()),
        ..options()
    };
    let (exchanges, account) = ask(to(&path), "http://shop.test/x", 3);
    assert_eq!(errors(&exchanges), [None; 3]);
    assert_eq!((account.opened, account.routes.len()), (1, 1));
    serving.join().unwrap();
    let all: Vec<_> = seen.iter().collect();
    assert_eq!(all.len(), 3);
    assert!(all[0].starts_with("GET /x HTTP/1.1\r\nHost: shop.test\r\n"));
    let (exchanges, account) = ask(to(&folder.path().join("none")), "http://shop.test/", 1);
    assert_eq!(exchanges[0].error, Some(ErrorCode::Unreachable));
    assert!(account.faults[0].reason.contains("none: No such file"));
}

/// Options that are bounded to targets, as in the cloud.
fn bounded(listed: Option<&[&str]>) -> TransportOptions {
    let listed: Option<Vec<_>> = listed.map(|l| l.iter().map(|&t| t.to_owned()).collect());
    TransportOptions {
        targets: Targets::in_cloud(listed.as_deref()).unwrap().into(),
        ..options()
    }
}

/// What came of one request, and why.
fn fate(options: TransportOptions, url: &str) -> (Option<ErrorCode>, String) {
    let (exchanges, account) = ask(options, url, 1);
    let why = account.faults.first().map(|f| f.reason.clone());
    (exchanges[0].error, why.unwrap_or_default())
}

#[track_caller]
fn refused(options: TransportOptions, url: &str, word: &str) {
    let (error, why) = fate(options, url);
    assert_eq!(error, Some(ErrorCode::TargetForbidden), "{url}: {why}");
    assert!(why.contains(word), "{why}");
}

#[test]
fn only_what_a_project_lists_is_connected_to() {
    let (server, seen) = telling();
    let url = format!("http://localhost:{}/", server.address.port());
    let literal = server.url("/");
    for listed in [&["localhost"][..], &["127.0.0.0/8", "::1"]] {
        assert_eq!(fate(bounded(Some(listed)), &url), (None, String::new()));
        seen.recv().unwrap();
    }
    assert_eq!(fate(bounded(None), &literal).0, None);
    seen.recv().unwrap();
    refused(
        bounded(Some(&["shop.test"])),
        &url,
        "localhost is not among",
    );
    // A name that is not listed is resolved only where an address could allow it.
    refused(
        bounded(Some(&["10.0.0.0/8"])),
        &url,
        "localhost (127.0.0.1)",
    );
    refused(
        bounded(Some(&["localhost"])),
        &literal,
        "127.0.0.1 is not among",
    );
    assert!(seen.try_recv().is_err());
}

#[test]
fn a_machines_own_addresses_are_never_connected_to() {
    let own = "credentials";
    refused(bounded(None), "http://169.254.170.2/v2/credentials", own);
    refused(bounded(Some(&["0.0.0.0/0"])), "http://2852039166/", own);
    refused(
        bounded(None),
        "http://[fd00:ec2::254]/latest/meta-data/",
        own,
    );
    refused(bounded(None), "http://[::ffff:169.254.169.254]/", own);
    let aliased = TransportOptions {
        hosts: vec![HostOverride::parse("shop.test", "169.254.169.254").unwrap()],
        ..bounded(Some(&["shop.test"]))
    };
    refused(aliased, "http://shop.test/", own);
    let by = |text| TransportOptions {
        proxy: through(text).proxy,
        ..bounded(None)
    };
    refused(by("http://169.254.169.254:80"), "http://shop.test/", own);
    refused(by("http://127.0.0.1:9"), "http://169.254.170.2/", own);
    refused(by("http://127.0.0.1:9"), "https://169.254.170.2/", own);
}

#[test]
fn what_a_definition_puts_in_place_of_a_name_is_judged_by_itself() {
    let (server, seen) = telling();
    let to = server.address.to_string();
    let aliased = |listed: &[&str]| TransportOptions {
        hosts: vec![HostOverride::parse("shop.test", &to).unwrap()],
        ..bounded(Some(listed))
    };
    refused(aliased(&["shop.test"]), "http://shop.test/", "127.0.0.1");
    assert_eq!(fate(aliased(&["127.0.0.1"]), "http://shop.test/").0, None);
    seen.recv().unwrap();
    // Through a proxy both count: where it is, and by name what it is asked for.
    let by = |listed: &[&str]| TransportOptions {
        proxy: through(&format!("http://{to}")).proxy,
        ..bounded(Some(listed))
    };
    refused(by(&["shop.test"]), "http://shop.test/", "127.0.0.1");
    refused(by(&["127.0.0.1"]), "http://shop.test/", "shop.test");
    refused(by(&["127.0.0.1"]), "https://shop.test/", "shop.test");
    assert_eq!(
        fate(by(&["127.0.0.1", "shop.test"]), "http://shop.test/").0,
        None
    );
    seen.recv().unwrap();
    let socket = TransportOptions {
        unix_socket: Some("/run/any.sock".to_owned()),
        ..bounded(Some(&["shop.test"]))
    };
    refused(socket, "http://shop.test/", "/run/any.sock");
    assert!(seen.try_recv().is_err());
}
