//! `floodgate ui`: the console over what runs on this machine, and in a browser where there is one.

use crate::export::server::free_port;
use crate::serve::{TESTER, serve};
use crate::support::*;
use floodgate_testserver::{Config, TestServer};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;

/// What a browser is driven with: node, Chromium and the folder of node's packages, one a line. `cargo xtask pages` sets it.
const BROWSER: &str = "FLOODGATE_BROWSER";
/// Where pictures of pages go.
const PICTURES: &str = "FLOODGATE_PICTURES";

/// The address that the console prints.
fn address(bench: &Bench) -> (Running, String) {
    let running = bench.spawn_into("address.txt", &["ui"]);
    let file = bench.path("address.txt");
    let mut address = String::new();
    eventually("the console's address", || {
        address = std::fs::read_to_string(&file).unwrap_or_default();
        address.ends_with('\n')
    });
    (running, address.trim().to_owned())
}

/// The status and the body of an answer.
fn get(port: u16, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nconnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head[9..12].parse().unwrap(), body.to_owned())
}

#[test]
fn the_console_is_served_to_whoever_has_the_address_until_it_is_ended() {
    let bench = Bench::new();
    bench.floodgate(&["ui"]).expect(104);
    let target = TestServer::start(Config::fast()).unwrap();
    bench.run(&arrivals(&target.url(), 20, "1s", ""), &[]);
    let (running, address) = address(&bench);
    let rest = address.strip_prefix("http://127.0.0.1:").unwrap();
    let (port, token) = rest.split_once("/?token=").unwrap();
    let port = port.parse().unwrap();
    assert_eq!(token.len(), 32, "{address}");
    let (status, told) = get(port, "/v1/executions");
    assert!(
        status == 401 && told.contains("floodgate ui prints"),
        "{told}"
    );
    assert_eq!(get(port, &format!("/?token={token}")).0, 303);
    running.signal("INT");
    running.end().expect(0);
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
}

#[test]
fn the_console_shows_what_is_on_record_and_what_goes_on() {
    let Ok(browser) = std::env::var(BROWSER) else {
        eprintln!("skipped: {BROWSER} is not set (cargo xtask pages)");
        return;
    };
    let (bench, target) = (Bench::new(), TestServer::start(Config::fast()).unwrap());
    let thresholds = "thresholds:\n  http_req_failed: [rate<0.01]\n";
    let mut ids = Vec::new();
    for rate in [20, 20, 20, 30] {
        let definition = arrivals(&target.url(), rate, "2s", thresholds);
        let definition =
            definition.replace("name: home", "name: <script>document.title='hit'</script>");
        let (ended, summary) = bench.run(&definition, &[]);
        ended.expect(0);
        ids.push(summary.execution);
    }
    bench.write(
        "failing.yaml",
        &arrivals(
            &target.url(),
            20,
            "1s",
            "thresholds:\n  http_reqs: [count>1000]\n",
        ),
    );
    bench.floodgate(&["run", "failing.yaml"]).expect(99);
    bench.write("long.yaml", &arrivals(&target.url(), 20, "60s", thresholds));
    let long = bench.spawn(&["run", "long.yaml", "--generators", "2", "--json"]);
    eventually("load is sent", || target.counters().requests() > 250);
    let (running, address) = address(&bench);
    let mut tools = browser.lines();
    let mut node = Command::new(tools.next().unwrap());
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/e2e/console.mjs");
    node.arg(script).args(tools).arg(address).arg(ids.join(","));
    let pictures = std::env::var(PICTURES).unwrap_or_else(|_| bench.path("").display().to_string());
    let looked = node.arg(pictures).output().unwrap();
    let said = String::from_utf8_lossy(&looked.stdout).into_owned();
    assert!(
        looked.status.success(),
        "{said}{}",
        String::from_utf8_lossy(&looked.stderr)
    );
    // The page has stopped it.
    long.end().expect(105);
    running.signal("TERM");
    running.end().expect(0);
}

#[test]
fn the_consoles_files_read_an_api_elsewhere() {
    let bench = Bench::new();
    for api in ["nowhere", "file:///etc"] {
        let args = ["ui", "--files", "pages", "--api", api];
        let said = bench.floodgate(&args).expect(104).stderr();
        assert!(said.contains("such as https://"), "{said}");
    }
    assert!(!bench.path("pages").exists());
    let Ok(browser) = std::env::var(BROWSER) else {
        eprintln!("skipped: {BROWSER} is not set (cargo xtask pages)");
        return;
    };
    let target = TestServer::start(Config::fast()).unwrap();
    let (ended, summary) = bench.run(&arrivals(&target.url(), 20, "2s", ""), &[]);
    ended.expect(0);
    // The service must know where the pages lie before they are served.
    let port = free_port().to_string();
    let origin = format!("http://127.0.0.1:{port}");
    let (running, api) = serve(&bench, &["--allow-origin", &origin]);
    let api = format!("http://127.0.0.1:{api}");
    bench
        .floodgate(&["ui", "--files", "pages", "--api", &api])
        .expect(0);
    let mut tools = browser.lines();
    let mut node = Command::new(tools.next().unwrap());
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/e2e/elsewhere.mjs");
    let pictures = std::env::var(PICTURES).unwrap_or_else(|_| bench.path("").display().to_string());
    node.arg(script).args(tools).arg(bench.path("pages"));
    let looked = node
        .args([&port, TESTER, &summary.execution, &pictures])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&looked.stderr);
    assert!(looked.status.success(), "{said}");
    running.signal("TERM");
    running.end().expect(0);
}

#[test]
fn the_console_of_the_api_asks_for_a_token() {
    let Ok(browser) = std::env::var(BROWSER) else {
        eprintln!("skipped: {BROWSER} is not set (cargo xtask pages)");
        return;
    };
    let (bench, target) = (Bench::new(), TestServer::start(Config::fast()).unwrap());
    let (ended, summary) = bench.run(&arrivals(&target.url(), 20, "2s", ""), &[]);
    ended.expect(0);
    let (running, port) = serve(&bench, &[]);
    let mut tools = browser.lines();
    let mut node = Command::new(tools.next().unwrap());
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/e2e/sign-in.mjs");
    let pictures = std::env::var(PICTURES).unwrap_or_else(|_| bench.path("").display().to_string());
    node.arg(script)
        .args(tools)
        .arg(format!("http://127.0.0.1:{port}"))
        .args([TESTER, &summary.execution, &pictures]);
    let looked = node.output().unwrap();
    let said = String::from_utf8_lossy(&looked.stderr);
    assert!(looked.status.success(), "{said}");
    running.signal("TERM");
    running.end().expect(0);
}
