//! A sink that is down, wrong, or that a proxy stands before: load and verdict are what they would be, and what is missing is said.

use super::server::free_port;
use super::*;
use floodgate_records::status::Status;
use std::io::{Read, Write};
use std::net::TcpListener;

#[test]
fn a_sink_that_is_down_changes_nothing_and_is_reported() {
    let bench = Bench::new();
    let down = format!("influxdb://127.0.0.1:{}/k6", free_port());
    let (ended, summary) = run(
        &bench,
        20,
        &[&down, "file:/surely/not/there.csv", "file:kept.csv"],
    );
    ended.expect(0);
    assert_eq!(summary.status, Status::Passed, "{:?}", summary.reasons);
    assert_eq!(value(&summary, "http_reqs", "count"), 54.0);
    let said = ended.stderr();
    assert!(
        said.contains(&format!("warning: export to {down} lacks ")),
        "{said}"
    );
    assert!(
        said.contains("cannot be reached") && said.contains("given up after"),
        "{said}"
    );
    let again = format!(
        "again: floodgate export {} --to '{down}'",
        summary.execution
    );
    assert!(said.contains(&again), "{said}");
    assert!(
        said.contains("/surely/not/there.csv cannot be written"),
        "{said}"
    );
    let kept = std::fs::read_to_string(bench.path("kept.csv")).unwrap();
    assert!(kept.contains("http_reqs"), "{kept}");
}

/// A server that takes a connection, reads, and closes it without a word, for so many times; then it answers as InfluxDB does.
fn cutting(times: usize) -> (u16, std::thread::JoinHandle<usize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let served = std::thread::spawn(move || {
        for (n, stream) in listener.incoming().enumerate() {
            let mut stream = stream.unwrap();
            let mut buffer = vec![0; 1 << 20];
            let read = stream.read(&mut buffer).unwrap();
            if n < times {
                continue;
            }
            let mut text = String::from_utf8_lossy(&buffer[..read]).into_owned();
            while !text.contains("\r\n\r\n") {
                let read = stream.read(&mut buffer).unwrap();
                text.push_str(&String::from_utf8_lossy(&buffer[..read]));
            }
            stream
                .write_all(b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 2\r\n\r\nno")
                .unwrap();
            return n;
        }
        0
    });
    (port, served)
}

#[test]
fn a_connection_that_is_cut_is_tried_again_and_a_refusal_is_not() {
    let bench = Bench::new();
    let (_, summary) = run(&bench, 20, &[]);
    let (port, served) = cutting(2);
    let url = format!("influxdb://127.0.0.1:{port}/k6");
    let ended = export(&bench, &summary, &url);
    assert_eq!(
        served.join().unwrap(),
        2,
        "two were cut, the third was answered"
    );
    assert_eq!(ended.code(), Some(97), "{}", ended.stderr());
    let said = ended.stderr();
    assert!(
        said.contains("answered 401: no; check user, password or token"),
        "{said}"
    );
    assert!(
        said.contains("1 of 1 target did not take everything"),
        "{said}"
    );
}

#[test]
fn what_makes_no_sense_is_refused_before_any_load() {
    let bench = Bench::new();
    let target = TestServer::start(Config::fast()).unwrap();
    for (export, why) in [
        (
            "export: [\"influxdb://h/db?interval=3s\"]",
            "interval=1s, or a multiple of 10s",
        ),
        ("export: [\"influxdb://h/db?color=red\"]", "has no option"),
        (
            "export: [{to: \"statsd://h\", token: \"${secret:x}\"}]",
            "export[0]",
        ),
        (
            "export: [\"influxdb://ann:hunter2@h/db\"]",
            "a password or token stands in the URL",
        ),
    ] {
        let definition = arrivals(&target.url(), 20, "1s", &format!("{export}\n"));
        bench.write("bad.yaml", &definition);
        std::fs::create_dir_all(bench.path(".floodgate/secrets")).unwrap();
        bench.write(".floodgate/secrets/x", "hunter2");
        let ended = bench.floodgate(&["run", "bad.yaml"]);
        ended.refused(why);
    }
    assert_eq!(target.counters().requests(), 0);
    bench
        .floodgate(&["export", "01AAAA", "--to", "influxdb://h/db?token=hunter2"])
        .refused("set FLOODGATE_INFLUXDB_TOKEN");
    bench
        .floodgate(&["export", "01AAAA", "--to", "gopher://h"])
        .refused("there is no export to gopher:");
}
