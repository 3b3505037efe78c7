//! A sink that is down, wrong, or that a proxy stands before: load and verdict are what they would be, and what is missing is said.

use super::server::free_port;
use super::*;
use floodgate_records::status::Status;
use std::io::{Read, Write};
use std::net::TcpListener;

/// Exports a run to several sinks at once.
fn export_to(bench: &Bench, id: &str, urls: &[&str]) -> Ended {
    let to = urls.iter().flat_map(|url| ["--to", url]);
    let all: Vec<_> = ["export", id].into_iter().chain(to).collect();
    bench.floodgate(&all)
}

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
    // All of them at once, and nothing is exported before all are sound.
    let (_, summary) = run(&bench, 20, &[]);
    let metrics = "metrics://127.0.0.1:9464";
    let urls = ["file:kept.csv", "gopher://h", metrics, "statsd://h?tags=x"];
    let ended = export_to(&bench, &summary.execution, &urls);
    for why in [
        "there is no export to gopher:",
        "start it with floodgate run --metrics HOST:PORT",
        "tags=x is not valid",
    ] {
        ended.refused(why);
    }
    assert!(!bench.path("kept.csv").exists());
}

#[test]
fn all_faults_of_exports_have_their_places() {
    let bench = Bench::new();
    let exports = "export:\n  - influxdb://h/db?interval=3s\n  - {to: \"statsd://h?bogus=1\"}\n  - influxdb://h\n  - \
                   \"influxdb://h/db?interval=25h\"\n";
    let definition = arrivals("http://127.0.0.1:1", 20, "1s", exports);
    bench.write("bad.yaml", &definition.replace("rate: 20", "rate: many"));
    let ended = bench.floodgate(&["validate", "bad.yaml"]);
    let first = 1 + definition
        .lines()
        .position(|line| line == "export:")
        .unwrap();
    for (line, why) in [
        (first + 1, "interval=3s is not valid"),
        (first + 2, "has no option \"bogus\""),
        (first + 3, "names no database"),
        (first + 4, "up to 24h"),
    ] {
        ended.refused(why);
        ended.refused(&format!("bad.yaml:{line}:"));
    }
    ended.refused("5 errors");
}

#[test]
fn every_sink_that_fails_is_explained() {
    let bench = Bench::new();
    let (_, summary) = run(&bench, 20, &[]);
    let nowhere = TestServer::start(Config::service()).unwrap();
    let lost = format!(
        "{}/db",
        nowhere
            .url()
            .replace("http://", "influxdb://")
            .trim_end_matches('/')
    );
    std::fs::create_dir(bench.path("folder.csv")).unwrap();
    let urls = [
        &lost,
        "file:/surely/not/there.csv",
        "file:folder.csv",
        "file:kept.csv",
    ];
    let ended = export_to(&bench, &summary.execution, &urls);
    assert_eq!(ended.code(), Some(97), "{}", ended.stderr());
    let said = ended.stderr();
    for why in [
        "answered 404",
        "/surely/not/there.csv cannot be written",
        "make its folder, or name another file",
        "folder.csv cannot be written",
        "3 of 4 targets did not take everything",
    ] {
        assert!(said.contains(why), "{why}: {said}");
    }
    assert!(bench.path("kept.csv").exists());
}

#[test]
fn an_address_to_be_scraped_at_is_taken_before_any_load() {
    let (bench, target) = (Bench::new(), TestServer::start(Config::fast()).unwrap());
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    bench.write("test.yaml", &arrivals(&target.url(), 20, "1s", ""));
    for address in [&*taken, "not.a.host.invalid:9464"] {
        let ended = bench.floodgate(&["run", "test.yaml", "--metrics", address]);
        let said = ended.expect(97).stderr();
        assert!(said.contains("cannot listen there"), "{said}");
    }
    let exported = format!("export: [\"metrics://{taken}\"]\n");
    bench.write("test.yaml", &arrivals(&target.url(), 20, "1s", &exported));
    let said = bench.floodgate(&["run", "test.yaml"]).expect(97).stderr();
    assert!(said.contains("a port that is free"), "{said}");
    assert_eq!(target.counters().requests(), 0);
}
