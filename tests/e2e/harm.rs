//! Targets and proxies that mean harm: each run ends in its time, says what it met, and stays small.

use crate::support::*;
use floodgate_records::status::Status;
use floodgate_testserver::faulty::{Answer, OnConnect, Script};
use floodgate_testserver::{Config, TestServer};
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::time::Duration;

/// What a whole run may take in memory that keeps bodies of up to 1 MiB, as docs/measuring.md states it.
const MOST_BYTES: u64 = 64 << 20;

/// Four requests whose bodies are looked at; all fail with this code, and the generator stays small.
#[track_caller]
fn bounded(url: &str, http: &str, code: &str) {
    let bench = Bench::new();
    let timeout = timeout(code);
    let rest = format!(
        "        checks: ['body contains \"x\"']\n    http: {{ timeout: {timeout}, maxBody: 1MiB{http} }}\n"
    );
    let (ended, summary) = bench.run(&arrivals(url, 4, "1s", &rest), &[]);
    let errors: Vec<_> = summary
        .errors
        .iter()
        .map(|(c, n)| (c.as_str(), *n))
        .collect();
    // The hops of a chain of redirects count as its end does.
    let others = errors.iter().filter(|(c, _)| *c != "302");
    assert!(others.eq([&(code, 4)]), "{url} {http}: {errors:?}");
    assert_ne!(summary.status, Status::Passed);
    assert_ne!(ended.code(), Some(0));
    let peak = summary.generators[0].peak_rss_bytes;
    assert!(0 < peak && peak < MOST_BYTES, "{code}: {peak} bytes");
}

fn faulty(script: Script) -> TestServer {
    TestServer::start(Config::faulty(script)).unwrap()
}

fn silent() -> TestServer {
    faulty(Script::on_connect(OnConnect::Silent))
}

/// A 200 with a body in this coding.
fn encoded(coding: &str, body: &[u8]) -> Answer {
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-encoding: {coding}\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    Answer::Raw([head.as_bytes(), body].concat())
}

/// 8 GiB of `x` in 256 KiB: blocks of 128 KiB that say "this byte, again and again" (RFC 8878 §3.1.1.2).
fn zstd_bomb() -> Vec<u8> {
    let header = [0x28, 0xb5, 0x2f, 0xfd, 0, 13 << 3];
    let block: u32 = 1 << 1 | (128 << 10) << 3;
    let [a, b, c, _] = block.to_le_bytes();
    [&header[..], &[a, b, c, b'x'].repeat(64 << 10)].concat()
}

/// 80 MiB of `x` in 512 KiB: one literal, and then "258 bytes from one before", by the fixed code (RFC 1951 §3.2.6).
fn gzip_bomb() -> Vec<u8> {
    const X: u32 = 0x30 + b'x' as u32;
    const REPEAT: u32 = 0b1100_0101 << 5;
    let header = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3];
    let codes = [(0b110, 3), (X, 8)]
        .into_iter()
        .chain(std::iter::repeat_n((REPEAT, 13), 320_000));
    // Huffman codes stand with their most significant bit first, in bytes that are filled from the least significant one.
    let bits: Vec<u8> = codes
        .flat_map(|(code, length): (u32, u32)| {
            (0..length).rev().map(move |bit| (code >> bit & 1) as u8)
        })
        .collect();
    let packed = bits
        .chunks(8)
        .map(|byte| byte.iter().rev().fold(0, |sum, bit| sum << 1 | bit));
    header.into_iter().chain(packed).collect()
}

/// 256 MiB of `x` in a few hundred bytes.
fn brotli_bomb() -> Vec<u8> {
    let mut packed = brotli::CompressorWriter::new(Vec::new(), 1 << 20, 1, 22);
    let piece = vec![b'x'; 1 << 20];
    for _ in 0..256 {
        packed.write_all(&piece).unwrap();
    }
    packed.into_inner()
}

#[test]
fn answers_without_end_are_cut_off() {
    let byte_by_byte = Answer::Drip(Duration::from_secs(1));
    let coded = ", acceptEncoding: [gzip, br, zstd]";
    for (answer, http, code) in [
        (Answer::EndlessHeaders, "", "headers_too_large"),
        (Answer::EndlessBody, "", "body_too_large"),
        (byte_by_byte, "", "timeout"),
        (encoded("gzip", &gzip_bomb()), coded, "body_too_large"),
        (encoded("zstd", &zstd_bomb()), coded, "body_too_large"),
        (encoded("br", &brotli_bomb()), coded, "body_too_large"),
        (Answer::Raw(b"HTTP/1.1 302 Found\r\nlocation: /\r\nset-cookie: a=b\r\ncontent-length: 0\r\n\r\n".to_vec()), "", "too_many_redirects"),
    ] {
        bounded(&faulty(Script::always(answer)).url(), http, code);
    }
}

#[test]
fn nobody_who_keeps_silent_is_waited_for_without_end() {
    bounded(&silent().url().replace("http:", "https:"), "", "timeout");
    for url in ["http://shop.test", "https://shop.test"] {
        let proxy = silent();
        bounded(url, &format!(", proxy: \"{}\"", proxy.url()), "timeout");
    }
}

/// Results that nobody has measured: read in bounded memory, refused with their place, and never passed.
#[test]
fn results_that_mean_harm_are_bounded_and_no_pass() {
    let bench = Bench::new();
    let head =
        "timeStamp,elapsed,label,responseCode,responseMessage,threadName,success,bytes,Latency\n";
    let row = "1795330000000,5,home,200,OK,g 1-1,true,10,3\n";
    let jtl = |more: &str| format!("{head}{row}{more}").into_bytes();
    let xml = |dtd: &str, label: &str| {
        format!(
            "<?xml version=\"1.0\"?>{dtd}<testResults version=\"1.2\"><httpSample t=\"5\" ts=\"1795330000000\" s=\"true\" lb=\"{label}\" \
             rc=\"200\" rm=\"OK\" tn=\"g 1-1\"/></testResults>"
        )
        .into_bytes()
    };
    let laughs: String = (2..12)
        .map(|n| format!("<!ENTITY l{n} \"{}\">", format!("&l{};", n - 1).repeat(10)))
        .collect();
    let laughs = format!("<!DOCTYPE t [<!ENTITY l1 \"lol\">{laughs}]>");
    let outside = "<!DOCTYPE t [<!ENTITY l1 SYSTEM \"file:///etc/passwd\">]>";
    let deep = "<httpSample t=\"5\" ts=\"1795330000000\" s=\"true\" lb=\"a\" rc=\"200\" rm=\"OK\" tn=\"g 1-1\">".repeat(100_000);
    let point = |value: &str, time: &str| {
        format!(
            "{{\"type\":\"Metric\",\"data\":{{\"name\":\"http_reqs\",\"type\":\"counter\",\"contains\":\"default\"}},\"metric\":\"http_reqs\"}}\n\
             {{\"metric\":\"http_reqs\",\"type\":\"Point\",\"data\":{{\"time\":\"{time}\",\"value\":{value},\"tags\":{{}}}}}}\n"
        )
        .into_bytes()
    };
    let now = "2026-11-29T00:00:00Z";
    let endless = [head.as_bytes(), row.as_bytes(), &vec![b'a'; 64 << 20]].concat();
    let whole = gzipped(&jtl(&row.repeat(100_000)));
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        (
            "a line without end",
            endless.clone(),
            "line 3 is longer than",
        ),
        (
            "the same, compressed",
            gzipped(&endless),
            "line 3 is longer than",
        ),
        ("cut short", whole[..whole.len() - 20].to_vec(), "gzip -t"),
        ("NUL bytes", jtl(&("\0".repeat(5_000) + row)), "line 3"),
        (
            "before all time",
            jtl(&row.replace("1795330000000", "-5")),
            "line 3",
        ),
        (
            "at no time",
            jtl(&row.replace("1795330000000", "0")),
            "days apart",
        ),
        (
            "after all time",
            jtl(&row.replace("1795330000000", "9999999999999999")),
            "line 3",
        ),
        (
            "a negative time",
            jtl(&row.replace(",5,", ",-5,")),
            "line 3",
        ),
        (
            "an endless time",
            jtl(&row.replace(",5,", ",99999999999999999999,")),
            "line 3",
        ),
        ("no number", point("NaN", now), "line 2"),
        ("a number that is none", point("1e999", now), "line 2"),
        ("a counter that falls", point("-1", now), "line 2"),
        ("no day", point("1", "2026-13-45T00:00:00Z"), "line 2"),
        (
            "entities within entities",
            xml(&laughs, "&l11;"),
            "document type",
        ),
        (
            "a file of this machine",
            xml(outside, "&l1;"),
            "document type",
        ),
        (
            "samples within samples",
            format!("<testResults version=\"1.2\">{deep}").into_bytes(),
            "64 deep",
        ),
    ];
    let half = jtl(&row[..row.len() / 2]);
    std::fs::write(bench.path("half"), half).unwrap();
    let ended = bench.floodgate(&["import", "half", "--test", "t"]);
    let said = ended.expect(98).stdout().replace("\n  ", " ");
    assert!(said.contains("the end of half, within a record"), "{said}");
    for (what, bytes, why) in cases {
        std::fs::write(bench.path("results"), bytes).unwrap();
        let limit = "ulimit -v 600000";
        let ended = bench
            .spawn_limited(limit, &["import", "results", "--test", "t"])
            .end();
        let said = format!("{}{}", ended.stdout(), ended.stderr()).replace("\n  ", " ");
        assert_eq!(ended.code(), Some(97), "{what}: {said}");
        assert!(said.contains(why), "{what}: {said}");
        assert!(!said.contains("root:"), "{what}: {said}");
    }
}

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

/// `:status: 200` in HPACK's static table.
const OK: [u8; 1] = [0x88];

/// One frame (RFC 9113 §4.1).
fn frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u32).to_be_bytes();
    [&length[1..], &[kind, flags, 0, 0, 0, stream], payload].concat()
}

/// A server that speaks HTTP/2 and answers whoever says something with these bytes, and then with those without end.
fn flooding(first: Vec<u8>, more: Vec<u8>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (first, more) = (first.clone(), more.repeat(200));
            std::thread::spawn(move || {
                let mut stream = stream.unwrap();
                stream.write_all(&frame(4, 0, 0, &[])).unwrap();
                // the preface, SETTINGS and the request, in one piece or in several
                let mut seen = Vec::new();
                let mut buffer = [0; 4096];
                while !seen
                    .windows(4)
                    .any(|w| w == [1, 5, 0, 0] || w == [1, 4, 0, 0])
                {
                    match stream.read(&mut buffer) {
                        Ok(n) if n > 0 => seen.extend_from_slice(&buffer[..n]),
                        _ => return,
                    }
                }
                if stream.write_all(&first).is_ok() {
                    while stream.write_all(&more).is_ok() {}
                }
            });
        }
    });
    url
}

#[test]
fn floods_of_http2_are_cut_off() {
    let head = frame(1, 4, 1, &OK);
    let reset = frame(3, 0, 1, &[0, 0, 0, 8]);
    let calls_again = ", keepAlive: false";
    for (first, more, http, code) in [
        (vec![], frame(6, 0, 0, &[0; 8]), "", "timeout"),
        (vec![], frame(4, 0, 0, &[]), "", "timeout"),
        (head, frame(0, 0, 1, &[]), "", "protocol"),
        (
            frame(1, 0, 1, &OK),
            frame(9, 0, 1, &[]),
            "",
            "headers_too_large",
        ),
        (reset.clone(), reset, calls_again, "connection_reset"),
    ] {
        let http = format!(", version: \"2\"{http}");
        bounded(&flooding(first, more), &http, code);
    }
}
