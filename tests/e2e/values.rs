//! What is written in a definition and its files arrives at the target as it is written, or is refused before anything starts.

use crate::support::*;
use floodgate_testserver::{Config, TestServer, tls};

const HEAD: &str = "version: 1\nproject: e2e\ntest: values\n";

/// A definition with one iteration of a flow.
fn once(target: &str, top: &str, flow: &str) -> String {
    format!(
        "{HEAD}target: {target}\n{top}\nscenarios:\n  one: {{ executor: per-vu-iterations, flow: [{flow}] }}\n"
    )
}

#[test]
fn numbers_go_out_and_come_back_in_their_own_digits() {
    let (bench, target) = (Bench::new(), TestServer::start(Config::service()).unwrap());
    bench.write(
        "rows.jsonl",
        "\u{feff}{\"id\": 9007199254740993.5, \"list\": [1.10, 2]}\n",
    );
    // The target answers /echo with the body it got, as a string: what is checked is the text that was sent.
    let sent = r#"{"a":1.10,"b":9223372036854775808,"c":0.1234567890123456789,"d":1e999,"e":"01234","f":2.50,"g":9007199254740993.5}"#;
    let definition = once(
        &target.url(),
        "data: [{ file: rows.jsonl }]\nparameters: { zip: 01234, ver: 2.50 }",
        &format!(
            "{{ post: '/echo?zip=${{param:zip}}', json: {{ a: 1.10, b: 9223372036854775808, c: 0.1234567890123456789, d: 1e999, \
             e: '${{param:zip}}', f: '${{param:ver}}', g: '${{data.id}}' }}, \
             checks: ['$.body == {}', '$.query == \"zip=01234\"'] }}",
            serde_json::to_string(sent).unwrap().replace('\'', "''")
        ),
    );
    for generators in ["1", "2"] {
        let (ended, summary) = bench.run(&definition, &["--generators", generators]);
        ended.expect(0);
        assert_eq!(value(&summary, "checks", "rate"), 1.0, "{}", ended.stdout());
    }
}

#[test]
fn a_definition_comes_from_standard_input() {
    let (bench, target) = (Bench::new(), TestServer::start(Config::service()).unwrap());
    let definition = once(
        &target.url(),
        "data: [{ file: rows.csv }]",
        "{ get: '/bytes/${data.n}' }",
    );
    bench.write("rows.csv", "n\n5\n");
    let said = bench
        .floodgate_reading(&definition, &["validate", "-"])
        .expect(0)
        .stdout();
    assert!(said.contains("is valid"), "{said}");
    bench
        .floodgate_reading(&definition, &["run", "-", "--quiet"])
        .expect(0);
    assert_eq!(target.counters().path("/bytes/5"), 1);
    for (text, why) in [
        ("", "standard input is empty"),
        ("version: 1\nrate: 5\n", "standard input:2:1"),
    ] {
        for command in ["run", "validate"] {
            bench.floodgate_reading(text, &[command, "-"]).refused(why);
        }
    }
}

/// Every fault that a generator would meet only later is one of the definition.
#[test]
fn contents_of_files_urls_and_headers_are_checked_before_anything_starts() {
    let bench = Bench::new();
    let identity = || {
        let config = Config::service().with_tls(tls::Mode::ClientCertificate);
        TestServer::start(config).unwrap()
    };
    let (one, other) = (identity(), identity());
    let (one, other) = (one.certificates().unwrap(), other.certificates().unwrap());
    for (name, content) in [
        ("semi.csv", "user;pw\na;b\n".as_bytes()),
        ("header.csv", b"user,pw\n"),
        ("empty.csv", b""),
        ("ragged.csv", b"user,pw\na,b\nc\n"),
        ("latin.csv", b"user\n\xe9\n"),
        ("broken.jsonl", b"{\"user\":1}\n{\"user\":\n"),
        ("junk.pem", b"junk\n"),
        ("one.pem", one.client_cert_pem().as_bytes()),
        ("one.key", one.client_key_pem().as_bytes()),
        ("other.key", other.client_key_pem().as_bytes()),
    ] {
        std::fs::write(bench.path(name), content).unwrap();
    }
    std::fs::create_dir(bench.path("folder.csv")).unwrap();
    let data = |file: &str| {
        (
            format!("data: [{{ file: {file} }}]"),
            "{ get: '/${data.user}' }".to_owned(),
        )
    };
    let http = |options: &str| (format!("http: {{ {options} }}"), "{ get: / }".to_owned());
    let step = |step: &str| (String::new(), step.to_owned());
    for ((top, flow), why) in [
        (data("semi.csv"), "write delimiter: \";\""),
        (data("header.csv"), "line 1: no row follows"),
        (data("empty.csv"), "empty.csv is empty; add a line"),
        (data("ragged.csv"), "line 3: 1 fields"),
        (
            data("latin.csv"),
            "line 2: the value of `user` is not UTF-8",
        ),
        (data("broken.jsonl"), "line 2, column "),
        (data("folder.csv"), "folder.csv: is a folder"),
        (
            http("ca: junk.pem"),
            "junk.pem, given as http.ca, is not valid PEM",
        ),
        (http("cert: junk.pem, key: one.key"), "given as http.cert"),
        (http("cert: one.pem, key: junk.pem"), "given as http.key"),
        (
            http("cert: one.pem, key: other.key"),
            "do not belong together",
        ),
        (step("{ get: 'http://h:99999/' }"), "http://h:99999/"),
        (step("{ get: 'http://:80/' }"), "http://:80/"),
        (step("{ get: 'http://a b/' }"), "http://a b/"),
        (
            step("{ get: /, headers: { X: \"a\\u0001b\" } }"),
            "header `X`",
        ),
        (step("{ post: /, file: folder.csv }"), "is a folder"),
    ] {
        bench.write("test.yaml", &once("https://127.0.0.1:1", &top, &flow));
        for command in ["validate", "run"] {
            bench.floodgate(&[command, "test.yaml"]).refused(why);
        }
    }
    assert!(!bench.path(".floodgate").exists(), "nothing was begun");
    // With one more key the first of them reads.
    let (top, flow) = (
        "data: [{ file: semi.csv, delimiter: \";\" }]",
        "{ get: '/${data.user}' }",
    );
    bench.write("test.yaml", &once("https://127.0.0.1:1", top, flow));
    bench.floodgate(&["validate", "test.yaml"]).expect(0);
}

#[test]
fn rates_below_one_a_second_are_kept_exactly() {
    let (bench, target) = (Bench::new(), TestServer::start(Config::service()).unwrap());
    let definition = format!(
        "{HEAD}target: {}\nscenarios:\n  one: {{ executor: constant-arrival-rate, rate: 1 per 500ms, duration: 1s, preAllocatedVUs: 2, \
         flow: [{{ get: /bytes/1 }}] }}\n  two: {{ executor: constant-arrival-rate, rate: 0.5, duration: 1s, preAllocatedVUs: 2, flow: \
         [{{ get: /bytes/2 }}] }}\n",
        target.url()
    );
    let (ended, _) = bench.run(&definition, &[]);
    ended.expect(0);
    assert_eq!(target.counters().path("/bytes/1"), 2);
    assert_eq!(target.counters().path("/bytes/2"), 1);
    let hit = [
        "hit",
        &format!("{}/bytes/3", target.url()),
        "-r",
        "1.5",
        "-z",
        "2s",
    ];
    bench.floodgate(&hit).expect(0);
    assert_eq!(target.counters().path("/bytes/3"), 3);
}

#[test]
fn no_request_is_made_of_what_was_not_found() {
    let (bench, target) = (Bench::new(), TestServer::start(Config::service()).unwrap());
    let steps = |more: &str| {
        format!(
            "{{ post: /echo, name: find, json: {{ a: 1 }}, extract: {{ id: $.nothing }}{more} }}, {{ delete: '/bytes/1${{id}}', name: gone }}"
        )
    };
    let (_, summary) = bench.run(&once(&target.url(), "", &steps("")), &[]);
    assert_eq!(target.counters().path("/bytes/1"), 0);
    assert_eq!(value(&summary, "failed_iterations", "count"), 1.0);
    assert!(
        !summary.metrics.contains_key("iterations"),
        "{:?}",
        summary.metrics.keys()
    );
    assert!(
        summary
            .warnings
            .iter()
            .any(|w| w.starts_with("1 iteration ended early")),
        "{:?}",
        summary.warnings
    );
    // Unless the step says otherwise.
    let (ended, _) = bench.run(
        &once(&target.url(), "", &steps(", onMissing: continue")),
        &[],
    );
    ended.expect(0);
    assert_eq!(target.counters().path("/bytes/1"), 1);
}

#[test]
fn no_link_leads_out_of_the_folder() {
    let bench = Bench::new();
    std::fs::create_dir_all(bench.path("own/deep")).unwrap();
    bench.write("secret.csv", "user\nroot\n");
    bench.write("own/real.csv", "user\nann\n");
    let link = |to: &str, name: &str| std::os::unix::fs::symlink(to, bench.path(name)).unwrap();
    link("../secret.csv", "own/out.csv");
    link("..", "own/up");
    link("/etc/passwd", "own/etc.pem");
    link("../real.csv", "own/deep/in.csv");
    let data = |file: &str| {
        let text = once(
            "http://h",
            &format!("data: [{{ file: {file} }}]"),
            "{ get: '/${data.user}' }",
        );
        bench.write("own/test.yaml", &text);
        bench.floodgate(&["validate", "own/test.yaml"])
    };
    data("real.csv").expect(0);
    data("deep/in.csv").expect(0);
    for file in ["out.csv", "up/secret.csv"] {
        data(file).refused("is a link that leads out of the definition's folder");
    }
    for file in [
        "../secret.csv",
        "/etc/passwd",
        "deep/../../secret.csv",
        "a\\..\\b",
    ] {
        data(&format!("'{file}'")).refused("the path");
    }
    bench.write(
        "own/test.yaml",
        &once("https://h", "http: { ca: etc.pem }", "{ get: / }"),
    );
    bench
        .floodgate(&["run", "own/test.yaml"])
        .refused("etc.pem is a link");
}

/// Whoever writes a definition may not be who runs it: no key makes a run wait, or read without end.
#[test]
fn what_is_no_file_is_neither_waited_for_nor_read() {
    let bench = Bench::new();
    let made = std::process::Command::new("mkfifo")
        .arg(bench.path("pipe.csv"))
        .status();
    assert!(made.unwrap().success());
    std::os::unix::fs::symlink("/dev/zero", bench.path("zero")).unwrap();
    for (top, step) in [
        ("data: [{ file: pipe.csv }]", "{ get: '/${data.user}' }"),
        ("http: { ca: pipe.csv }", "{ get: / }"),
        ("", "{ post: /, file: pipe.csv }"),
        ("", "{ post: /, multipart: [{ name: a, file: pipe.csv }] }"),
    ] {
        bench.write("test.yaml", &once("https://h", top, step));
        let refused = bench.floodgate(&["validate", "test.yaml"]);
        refused.refused("is a pipe");
    }
    bench.write(
        "test.yaml",
        &once("http://h", "", "{ post: /, file: zero }"),
    );
    bench
        .floodgate(&["validate", "test.yaml"])
        .refused("zero is a link");
    bench.floodgate(&["validate", "/dev/zero"]).refused("error");
}

/// The secret stands wherever a definition may send it.
const SECRETIVE: &str = r#"
http:
  headers: { X-Key: "${secret:key}" }
  userAgent: "agent ${secret:key}"
  auth: { bearer: "${secret:key}" }
parameters: { key: "${secret:key}" }
scenarios:
  one:
    executor: constant-vus
    vus: 2
    duration: 2s
    flow:
      - set: { key: "${secret:key}" }
      - { get: "/${secret:key}/a?b=${secret:key}", params: { c: "${param:key}" }, checks: ['body contains "${secret:key}"'] }
      - { post: /echo, body: "${key} ${secret:key}", extract: { e: "regex:(${secret:key})" } }
      - { post: /echo, name: json, json: { a: "${param:key}", b: ["x ${secret:key}"] }, checks: ['$.headers.x == "${secret:key}"'] }
      - { post: /echo, name: form, form: { a: "${secret:key}" }, auth: { basic: { username: "${secret:key}", password: "${secret:key}" } } }
      - { get: "/digest-auth/MD5/auth/1/ann/other", name: digest, auth: { digest: { username: "ann", password: "${secret:key}" } } }
      - { get: "http://${secret:key}:${secret:key}@127.0.0.1:1/", name: in a URL }
      - { post: /echo, name: parts, multipart: [{ name: "${secret:key}", value: "${secret:key}" }] }
      - { get: "http://127.0.0.1:1/${secret:key}", headers: { Y: "${secret:key}" } }
      - set: { made: "${base64('${secret:key}')}" }
      - { post: "/nowhere?made=${made}", name: made, body: "${base64(param:key)} ${hmacSha256(secret:key, vu)} ${jsonEscape(secret:key)}", headers: { X-Made: "${made}" } }
      - think: 100ms
thresholds: { http_reqs: [count>0] }
"#;

#[test]
fn a_secret_is_in_nothing_that_a_run_prints_or_leaves() {
    const SECRET: &str = "pl4nted-s3cret";
    // In Base64.
    const MADE: &str = "cGw0bnRlZC1zM2NyZXQ";
    let (bench, target) = (Bench::new(), TestServer::start(Config::service()).unwrap());
    bench.write("env", &format!("FLOODGATE_SECRET_KEY={SECRET}\n"));
    bench.write(
        "test.yaml",
        &format!("{HEAD}target: {}\n{SECRETIVE}", target.url()),
    );
    let args = [
        "run",
        "test.yaml",
        "--env-file",
        "env",
        "--generators",
        "2",
        "--junit",
        "junit.xml",
    ];
    let run = bench.spawn(&args);
    eventually("two generators", || run.children().len() == 2);
    for pid in run.children() {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        assert!(!holds(&line, SECRET), "{}", String::from_utf8_lossy(&line));
    }
    let ended = run.end();
    assert!(target.counters().path("/echo") > 0, "{}", ended.stderr());
    for said in [ended.stdout(), ended.stderr()] {
        assert!(!said.contains(SECRET) && !said.contains(MADE), "{said}");
    }
    let left = files(bench.path("").as_path(), "");
    let kept: Vec<_> = left.iter().filter(|file| !file.ends_with("env")).collect();
    assert!(kept.len() > 5, "{kept:?}");
    for file in kept {
        let bytes = std::fs::read(file).unwrap();
        for text in [SECRET, MADE] {
            assert!(!holds(&bytes, text), "{text} in {}", file.display());
        }
    }
    let validated = bench.floodgate(&["validate", "test.yaml", "--env-file", "env"]);
    assert!(!validated.stderr().contains(SECRET) && !validated.stdout().contains(SECRET));
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes
        .windows(text.len())
        .any(|window| window == text.as_bytes())
}
