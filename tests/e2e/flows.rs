//! What definitions can say, against a target that counts.

use crate::support::*;
use floodgate_records::status::Status;
use floodgate_testserver::{Config, TestServer, tls};

const HEAD: &str = "version: 1\nproject: e2e\ntest: flows\n";

/// Every executor; the path of each scenario's requests tells them apart.
const EXECUTORS: &str = r#"
scenarios:
  shared: { executor: shared-iterations, vus: 3, iterations: 20, flow: [{ get: /bytes/1 }] }
  own: { executor: per-vu-iterations, vus: 3, iterations: 5, flow: [{ get: /bytes/2 }] }
  constant: { executor: constant-vus, vus: 3, duration: 1s, flow: [{ get: /bytes/3 }, { think: 50ms }] }
  ramping:
    executor: ramping-vus
    startVUs: 1
    stages: [{ duration: 1s, target: 4 }]
    flow: [{ get: /bytes/4 }, { think: 50ms }]
  arrivals: { executor: constant-arrival-rate, rate: 50, duration: 1s, preAllocatedVUs: 20, maxVUs: 60, flow: [{ get: /bytes/5 }] }
  rising:
    executor: ramping-arrival-rate
    startRate: 20
    stages: [{ duration: 1s, target: 60 }]
    preAllocatedVUs: 20
    maxVUs: 60
    flow: [{ get: /bytes/6 }]
thresholds:
  http_req_failed: [rate==0]
  "http_reqs{scenario:shared}": [count==20]
  "http_reqs{scenario:own}": [count==15]
  "http_reqs{scenario:constant}": [count>=3]
  "http_reqs{scenario:ramping}": [count>=1]
  "http_reqs{scenario:arrivals}": [count==50]
  "http_reqs{scenario:rising}": [count==40]
"#;

#[test]
fn six_executors_send_what_they_say_on_one_generator_and_on_three() {
    for generators in ["1", "3"] {
        let (bench, target) = (Bench::new(), TestServer::start(Config::service()).unwrap());
        let definition = format!("{HEAD}target: {}\n{EXECUTORS}", target.url());
        let (ended, summary) = bench.run(&definition, &["--generators", generators]);
        ended.expect(0);
        let scenarios = ["shared", "own", "constant", "ramping", "arrivals", "rising"];
        for (scenario, path) in scenarios.iter().zip(1..) {
            let counted = target.counters().path(&format!("/bytes/{path}"));
            let merged = value(
                &summary,
                &format!("http_reqs{{scenario:{scenario}}}"),
                "count",
            );
            assert_eq!(merged, counted as f64, "{scenario} with {generators}");
        }
        assert_eq!(
            value(&summary, "http_reqs", "count"),
            target.counters().requests() as f64
        );
    }
}

/// A flow that looks at most of what the engine can do.
const TOUR: &str = r#"
http: { acceptEncoding: [gzip, deflate, br] }
data: [{ file: users.csv, mode: unique }]
scenarios:
  tour:
    executor: shared-iterations
    vus: 4
    iterations: 20
    flow:
      - get: /redirect/3
        name: redirect
        checks: [status == 200, body contains "arrived"]
      - get: /redirect/3
        name: first hop
        maxRedirects: 0
        checks: [status == 302]
      - get: /cookies/set?flavour=oat
        name: set cookie
      - get: /cookies
        name: cookies
        checks: ['$.cookies.flavour == "oat"']
      - get: /gzip
        name: gzip
        checks: [status == 200, $ exists]
      - get: /brotli
        name: brotli
        checks: [status == 200, $ exists]
      - get: /basic-auth/ann/s3cret
        name: basic auth
        auth: { basic: { username: ann, password: s3cret } }
        checks: [status == 200]
      - get: /basic-auth/ann/s3cret
        name: no auth
        expect: 401
        checks: [status == 401]
      - post: /api/login
        name: login
        json: { user: "${data.user}" }
        extract: { token: $.token, user: $.user }
        checks: [status == 200]
      - get: /bearer
        name: bearer
        auth: { bearer: "${token}" }
        checks: [status == 200]
      - get: "/bytes/${data.size}"
        name: own row
        checks: [status == 200]
      - group: tail
        steps:
          - post: /echo
            name: echo
            form: { who: "${user}", n: "${iteration}" }
            tags: { kind: form }
            checks: ['$.method == "POST"']
thresholds:
  checks: [rate==1]
  http_req_failed: [rate==0]
  iterations: [count==20]
  "http_reqs{name:redirect}": [count==80]
  "http_reqs{kind:form}": [count==20]
  "http_reqs{status:401}": [count==20]
"#;

#[test]
fn a_tour_of_the_native_engine() {
    let (bench, target) = (Bench::new(), TestServer::start(Config::service()).unwrap());
    let rows: String = (1..=20).map(|n| format!("user{n},{n}\n")).collect();
    bench.write("users.csv", &format!("user,size\n{rows}"));
    let definition = format!("{HEAD}target: {}\n{TOUR}", target.url());
    let (ended, summary) = bench.run(&definition, &["--generators", "2"]);
    ended.expect(0);
    assert_eq!(
        value(&summary, "http_reqs", "count"),
        target.counters().requests() as f64
    );
    for n in 1..=20 {
        let used = target.counters().path(&format!("/bytes/{n}"));
        assert_eq!(used, 1, "row {n} goes to one iteration of one generator");
    }
}

#[test]
fn rows_that_run_out_are_no_pass() {
    let (bench, target) = (Bench::new(), TestServer::start(Config::service()).unwrap());
    bench.write("users.csv", "size\n1\n2\n3\n4\n5\n");
    let scenario = r#"
data: [{ file: users.csv, mode: unique }]
scenarios:
  one: { executor: shared-iterations, vus: 2, iterations: 20, flow: [{ get: "/bytes/${data.size}", name: row }] }
thresholds: { http_req_failed: [rate==0] }
"#;
    let (ended, summary) = bench.run(&format!("{HEAD}target: {}\n{scenario}", target.url()), &[]);
    ended.expect(98);
    assert_eq!(target.counters().requests(), 5);
    assert_eq!(value(&summary, "http_reqs", "count"), 5.0);
    let said = |text: &str| summary.warnings.iter().any(|w| w.contains(text));
    assert!(said("unique rows ran out"), "{:?}", summary.warnings);
}

#[test]
fn http2_over_tls_with_an_authority_of_ones_own() {
    for (version, protocol) in [
        ("\"2\"", "HTTP/2"),
        ("auto", "HTTP/2"),
        ("\"1.1\"", "HTTP/1.1"),
    ] {
        let bench = Bench::new();
        let target = TestServer::start(Config::service().with_tls(tls::Mode::Valid)).unwrap();
        bench.write("ca.pem", target.ca_pem().unwrap());
        let more = format!(
            "        checks: [status == 200, 'protocol == \"{protocol}\"']\n    http: {{ version: {version}, ca: ca.pem }}\n\
             thresholds:\n  checks: [rate==1]\n  http_req_tls_handshaking: [max>0]\n"
        );
        let (ended, summary) = bench.run(&arrivals(&target.url(), 30, "1s", &more), &[]);
        ended.expect(0);
        assert_eq!(value(&summary, "http_reqs", "count"), 30.0, "{protocol}");
        assert_eq!(target.counters().requests(), 30, "{protocol}");
    }
}

/// Each combination that a target may ask for, checked by a server of its own.
#[test]
fn challenges_of_http_digest_are_answered() {
    let (bench, target) = (Bench::new(), TestServer::start(Config::service()).unwrap());
    let mut flow = String::new();
    for algorithm in ["MD5", "MD5-sess", "SHA-256", "SHA-256-sess", "SHA-512-256"] {
        for qop in ["auth", "auth-int", "none"] {
            flow += &format!(
                "      - {{ post: /digest-auth/{algorithm}/{qop}/2/ann/s3cret?q={qop}, name: in, body: \"x ${{iteration}}\" }}\n"
            );
        }
    }
    let definition = format!(
        "{HEAD}target: {}\nhttp: {{ auth: {{ digest: {{ username: ann, password: \"${{secret:key}}\" }} }} }}\n\
         scenarios:\n  s:\n    executor: per-vu-iterations\n    vus: 2\n    iterations: 5\n    flow:\n{flow}",
        target.url()
    );
    bench.write("test.yaml", &definition);
    let key = |key: &str| format!("FLOODGATE_SECRET_KEY={key}");
    let run = |key: &str| bench.floodgate(&["run", "test.yaml", "--json", "-e", key]);
    let summary = run(&key("s3cret")).expect(0).summary();
    assert_eq!(summary.errors, [].into());
    assert_eq!(value(&summary, "http_req_failed", "rate"), 0.0);
    let outcomes = &summary.requests[0].outcomes;
    assert_eq!(outcomes["200"], 150, "{outcomes:?}");
    assert!(outcomes["401"] >= 30, "{outcomes:?}");
    // with a wrong password nothing has succeeded, though half of the answers are what was to be expected
    let summary = run(&key("wrong")).expect(99).summary();
    assert_eq!(value(&summary, "http_req_failed", "rate"), 1.0);
    for file in files(&bench.path(".floodgate"), "") {
        let text = String::from_utf8_lossy(&std::fs::read(&file).unwrap()).into_owned();
        assert!(!text.contains("s3cret\""), "{}", file.display());
    }
}

#[test]
fn a_hit_leaves_no_credentials() {
    const SECRET: &str = "pl4nted";
    let target = TestServer::start(Config::service()).unwrap();
    let page =
        |of: &str, user: &str| target.url().replace("http://", &format!("http://{user}")) + of;
    let basic = page("/basic-auth/ann/pl4nted", "ann:pl4nted@");
    let digest = page("/digest-auth/SHA-256/auth/9/ann/pl4nted", "");
    let user = format!("ann:{SECRET}");
    let named = page("/?api_key=pl4nted&page=2&token=pl4nted", "");
    let body = r#"{"user": "ann", "password": "pl4nted"}"#;
    for (args, path) in [
        (vec![basic.as_str()], "/basic-auth/ann/pl4nted"),
        (
            vec![&digest, "-u", &user, "--digest"],
            "/digest-auth/SHA-256/auth/9/ann/pl4nted",
        ),
        (
            vec![&target.url(), "-H", "Authorization: Bearer pl4nted"],
            "/",
        ),
        (
            vec![
                &named,
                "-H",
                "X-Custom-Secret: pl4nted",
                "-m",
                "GET",
                "-b",
                body,
            ],
            "/",
        ),
    ] {
        let bench = Bench::new();
        let args = [&["hit"][..], &args, &["-n", "3", "-c", "1", "--json"]].concat();
        let ended = bench.floodgate(&args);
        let summary = ended.expect(0).summary();
        assert_eq!(value(&summary, "http_req_failed", "rate"), 0.0);
        // the page's own address is not a secret
        let left = |text: &str| text.replace(path, "").contains(SECRET);
        assert!(!left(&ended.stdout()) && !left(&ended.stderr()));
        for file in files(&bench.path(".floodgate"), "") {
            let text = String::from_utf8_lossy(&std::fs::read(&file).unwrap()).into_owned();
            assert!(!left(&text), "{}: {text}", file.display());
        }
    }
}

/// A journey whose every branch is counted by the target: 40 iterations of it.
const JOURNEY: &str = r#"
scenarios:
  journey:
    executor: shared-iterations
    vus: 5
    iterations: 40
    flow:
      - get: /api/products
      - each: $.products[?@.id <= 3].id
        steps:
          - get: "/bytes/${item}"
            name: item
      - repeat: 2
        steps:
          - if: ${iteration} < 10
            steps: [{ get: /bytes/11 }]
            else: [{ get: /bytes/12 }]
      - choose:
          - { weight: 1, steps: [{ get: /bytes/21 }] }
          - { weight: 3, steps: [{ get: /bytes/22 }] }
      - repeat: { while: status == 200, max: 4 }
        steps: [{ get: /bytes/31 }]
      - stop: iteration
      - get: /bytes/41
thresholds:
  http_req_failed: [rate==0]
  iterations: [count==40]
"#;

#[test]
fn loops_conditions_and_choices_do_the_same_on_one_generator_and_on_three() {
    let mut chosen = Vec::new();
    for generators in ["1", "3"] {
        let (bench, target) = (Bench::new(), TestServer::start(Config::service()).unwrap());
        let definition = format!("{HEAD}target: {}\n{JOURNEY}", target.url());
        let (ended, _) = bench.run(&definition, &["--generators", generators]);
        ended.expect(0);
        let counted = |n: u32| target.counters().path(&format!("/bytes/{n}"));
        for (path, times) in [
            (1, 40),
            (2, 40),
            (3, 40),
            (4, 0),
            (11, 20),
            (12, 60),
            (31, 160),
            (41, 0),
        ] {
            assert_eq!(counted(path), times, "/bytes/{path} with {generators}");
        }
        assert_eq!(counted(21) + counted(22), 40);
        chosen.push(counted(21));
    }
    assert!((1..40).contains(&chosen[0]), "{chosen:?}");
}

/// Two scenarios share 60 starts, and two VUs keep their pace.
const MIX: &str = r#"
scenarios:
  shop:
    executor: constant-arrival-rate
    rate: 60
    duration: 1s
    preAllocatedVUs: 20
    maxVUs: 60
    mix:
      browse: { weight: 2, flow: [{ get: /bytes/1 }] }
      buy: { flow: [{ get: /bytes/2 }] }
  paced: { executor: constant-vus, vus: 2, duration: 1s, pace: 1m, flow: [{ get: /bytes/3 }] }
thresholds:
  http_req_failed: [rate==0]
  "iterations{scenario:browse}": [count==40]
  "iterations{scenario:buy}": [count==20]
  "iterations{scenario:paced}": [count==2]
"#;

#[test]
fn a_mix_shares_its_starts_and_a_pace_is_kept_on_any_number_of_generators() {
    for generators in ["1", "2"] {
        let (bench, target) = (Bench::new(), TestServer::start(Config::service()).unwrap());
        let definition = format!("{HEAD}target: {}\n{MIX}", target.url());
        let (ended, _) = bench.run(&definition, &["--generators", generators]);
        ended.expect(0);
        for (path, times) in [(1, 40), (2, 20), (3, 2)] {
            let counted = target.counters().path(&format!("/bytes/{path}"));
            assert_eq!(counted, times, "/bytes/{path} with {generators}");
        }
    }
}

/// Metrics of the test's own, attempts, and functions of secrets, each counted.
const MEASURED: &str = r#"
scenarios:
  own:
    executor: shared-iterations
    vus: 4
    iterations: 20
    flow:
      - get: /api/products/7
        record:
          price: $.price_cents
          sold: { value: $.id, type: counter }
          even: { value: "regex:id\":([0-9])", type: rate }
          latest: { value: $.id, type: gauge }
      - get: /status/503
        name: busy
        retry: { attempts: 3, on: 503 }
      - post: /echo
        body: "${base64('${secret:key}:${vu}')} ${hmacSha256(secret:key, 'x')}"
        checks: [body contains "HMAC"]
thresholds:
  price: [p(50)==1375, max==1375, avg==1375]
  sold: [count==140]
  even: [rate==1]
  latest: [value==7]
  "http_reqs{name:busy}": [count==60]
  "http_req_failed{name:busy}": [rate==1]
  http_reqs: [count==100]
"#;

#[test]
fn metrics_of_ones_own_are_merged_and_attempts_are_counted() {
    for generators in ["1", "3"] {
        let (bench, target) = (Bench::new(), TestServer::start(Config::service()).unwrap());
        // HMAC-SHA-256 of "x" with the key "s3cr3t-key", by OpenSSL.
        let hmac = "256f04d37eea0e3e5a5852892c5ae042ac68b1566bb2930ec90e18eb99f76326";
        let measured = MEASURED.replace("HMAC", hmac);
        let definition = format!("{HEAD}target: {}\n{measured}", target.url());
        bench.write("env", "FLOODGATE_SECRET_KEY=s3cr3t-key\n");
        let args = [
            "--generators",
            generators,
            "--env-file",
            "env",
            "--debug-requests",
            "3",
        ];
        let (ended, summary) = bench.run(&definition, &args);
        ended.expect(0);
        assert_eq!(target.counters().path("/status/503"), 60);
        assert_eq!(value(&summary, "sold", "count"), 140.0);
    }
}

/// Setup gives a variable to all; each step of it is counted.
const AROUND: &str = r#"
setup:
  - { get: /status/503, name: up, expect: 503, retry: { attempts: 3, on: 503 } }
  - { post: /api/login, json: { user: ann }, extract: { user: $.user, token: $.token } }
  - set: { path: /bytes/1 }
teardown:
  - { get: "${path}1", auth: { bearer: "${token}" } }
scenarios:
  all:
    executor: shared-iterations
    vus: 6
    iterations: 30
    http: { auth: { bearer: "${token}" } }
    flow:
      - { get: "${path}", checks: [status == 200] }
      - { post: /echo, body: "${user}", checks: ['body contains "ann"'] }
thresholds:
  checks: [rate==1]
  http_reqs: [count==60]
"#;

#[test]
fn setup_and_teardown_are_done_once_whatever_the_number_of_generators() {
    for generators in ["1", "3"] {
        let (bench, target) = (Bench::new(), TestServer::start(Config::service()).unwrap());
        let definition = format!("{HEAD}target: {}\n{AROUND}", target.url());
        let (ended, _) = bench.run(&definition, &["--generators", generators]);
        ended.expect(0);
        for (path, times) in [
            ("/status/503", 3),
            ("/api/login", 1),
            ("/bytes/1", 30),
            ("/echo", 30),
            ("/bytes/11", 1),
        ] {
            let counted = target.counters().path(path);
            assert_eq!(counted, times, "{path} with {generators}");
        }
    }
}

#[test]
fn a_setup_that_fails_is_no_pass_and_nothing_is_sent() {
    for generators in ["1", "2"] {
        let (bench, target) = (Bench::new(), TestServer::start(Config::service()).unwrap());
        let definition = format!(
            "{HEAD}target: {}\nsetup: [{{ get: /status/500, name: prepare }}]\nteardown: [{{ get: /bytes/9 }}]\nscenarios:\n  s: {{ executor: shared-iterations, vus: 2, iterations: 4, flow: [{{ get: /bytes/1 }}] }}\n",
            target.url()
        );
        let (ended, summary) = bench.run(&definition, &["--generators", generators]);
        ended.expect(97);
        assert_eq!(summary.status, Status::Errored);
        let said = format!("{:?}", summary.reasons);
        assert!(
            said.contains("setup failed: GET prepare: status 500"),
            "{said}"
        );
        assert_eq!(target.counters().path("/bytes/1"), 0);
        assert_eq!(target.counters().path("/bytes/9"), 0);
    }
}

#[test]
fn a_teardown_that_fails_fails_the_run() {
    let (bench, target) = (Bench::new(), TestServer::start(Config::service()).unwrap());
    let definition = format!(
        "{HEAD}target: {}\nteardown: [{{ get: /bytes/9, name: clean up, checks: [status == 204] }}]\nscenarios:\n  s: {{ executor: shared-iterations, vus: 2, iterations: 4, flow: [{{ get: /bytes/1 }}] }}\n",
        target.url()
    );
    let (ended, summary) = bench.run(&definition, &[]);
    ended.expect(99);
    let said = format!("{:?}", summary.reasons);
    assert!(
        said.contains("teardown failed: clean up: status == 204 did not hold"),
        "{said}"
    );
}

#[test]
fn a_run_that_is_aborted_is_torn_down_all_the_same() {
    let (bench, target) = (Bench::new(), TestServer::start(Config::service()).unwrap());
    let definition = format!(
        "{HEAD}target: {}\nsetup: [{{ get: /bytes/8 }}]\nteardown: [{{ get: /bytes/9 }}]\nscenarios:\n  s: {{ executor: constant-vus, vus: 2, duration: 10m, flow: [{{ get: /bytes/1 }}, {{ think: 10ms }}] }}\n",
        target.url()
    );
    bench.write("test.yaml", &definition);
    let running = bench.spawn(&["run", "test.yaml", "--json", "--generators", "2"]);
    eventually("load", || target.counters().path("/bytes/1") > 0);
    running.signal("INT");
    let summary = running.end().summary();
    assert_eq!(summary.status, Status::Aborted);
    assert_eq!(target.counters().path("/bytes/9"), 1);
}

/// One scenario's requests are traced, the other's aren't.
const TRACED: &str = r#"
scenarios:
  traced:
    executor: shared-iterations
    vus: 2
    iterations: 40
    http: { tracing: { ratio: 100% }, headers: { X-Own: yes } }
    flow:
      - { get: /echo, name: fixed, checks: ['body matches /00-[0-9a-f]{32}-[0-9a-f]{16}-01/', body contains "x-own"] }
      - { get: "/echo?n=${iteration}", name: rendered, checks: ['body matches /00-[0-9a-f]{32}-[0-9a-f]{16}-01/'] }
      - { get: /redirect/2, name: led on }
      - { get: /echo, name: own, headers: { Traceparent: mine }, checks: ['body not contains "00-"'] }
  plain:
    executor: shared-iterations
    vus: 1
    iterations: 10
    flow:
      - { get: /echo, name: plain, checks: ['body not contains "traceparent"'] }
thresholds:
  checks: [rate==1]
"#;

#[test]
fn the_slowest_traced_requests_of_all_generators_can_be_looked_up() {
    for generators in ["1", "2"] {
        let (bench, target) = (Bench::new(), TestServer::start(Config::service()).unwrap());
        let definition = format!("{HEAD}target: {}\n{TRACED}", target.url());
        let (ended, summary) = bench.run(&definition, &["--generators", generators]);
        ended.expect(0);
        for name in ["fixed", "rendered", "led on"] {
            let of_name = || summary.traced.iter().filter(|t| t.name == name);
            assert_eq!(of_name().count(), 5, "{name} with {generators}");
            assert!(of_name().is_sorted_by(|a, b| a.response_ms >= b.response_ms));
            let slowest = of_name().next().unwrap();
            let key = "http_req_response_time";
            let times = summary.requests.iter().find(|r| r.name == name).unwrap();
            let longest = times.times[key]["max"];
            // Of a request that is led on, every hop is in the table, and the whole is in the trace.
            assert!(
                slowest.response_ms >= longest - 0.002,
                "{slowest:?} {longest}"
            );
        }
        assert_eq!(summary.traced.len(), 15);
        let ids: std::collections::BTreeSet<_> = summary.traced.iter().map(|t| &t.trace).collect();
        assert_eq!(ids.len(), 15, "each has a trace of its own");
    }
}
