//! The gateway before a stand-in for an emulator.
#![allow(clippy::unwrap_used, missing_docs)]

use floodgate_gateway::ledger::Report;
use floodgate_gateway::server;
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// What the emulator was asked for, and the policy that its one role has.
#[derive(Default)]
struct Emulator {
    requests: Mutex<Vec<String>>,
    policy: Mutex<Value>,
}

impl Emulator {
    fn start(self: &Arc<Self>) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let emulator = self.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                emulator.answer(stream.unwrap());
            }
        });
        address
    }

    fn answer(&self, mut stream: TcpStream) {
        let (head, body) = read(&mut stream);
        let line = head.lines().next().unwrap().to_owned();
        let (status, answer) = match line.as_str() {
            _ if body.contains("GetAccountAuthorizationDetails") => (200, self.details()),
            "GET /b?policy HTTP/1.1" => (200, BUCKET_POLICY.to_owned()),
            "GET /2015-03-31/functions/reap/policy HTTP/1.1" => (200, FUNCTION_POLICY.to_owned()),
            l if l.starts_with("GET /2015-03-31/functions/") => (404, String::new()),
            l if l.contains("missing") => (404, "<Error><Code>NoSuchKey</Code></Error>".to_owned()),
            _ => (200, format!("answer to {line}")),
        };
        self.requests.lock().unwrap().push(line);
        let length = answer.len();
        let head =
            format!("HTTP/1.1 {status} x\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
        stream
            .write_all(format!("{head}{answer}").as_bytes())
            .unwrap();
    }

    fn details(&self) -> String {
        let policy = self.policy.lock().unwrap().to_string();
        let encoded = policy
            .replace('%', "%25")
            .replace('&', "%26")
            .replace('<', "%3C");
        let inline = format!(
            "<member><PolicyName>p</PolicyName><PolicyDocument>{encoded}</PolicyDocument></member>"
        );
        let role = format!(
            "<member><RoleName>ci</RoleName><Arn>arn:aws:iam::000000000000:role/ci</Arn><AssumeRolePolicyDocument>{TRUST}</AssumeRolePolicyDocument><RolePolicyList>{inline}</RolePolicyList></member>"
        );
        let result = format!("<RoleDetailList>{role}</RoleDetailList>");
        format!(
            "<R><GetAccountAuthorizationDetailsResult>{result}</GetAccountAuthorizationDetailsResult></R>"
        )
    }
}

const TRUST: &str = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"},
    "Action": "sts:AssumeRole", "Condition": {"StringEquals": {"aws:SourceAccount": "000000000000"}}}]}"#;

/// As Lambda gives it out: text in JSON.
const FUNCTION_POLICY: &str = r#"{"Policy": "{\"Version\": \"2012-10-17\", \"Id\": \"default\", \"Statement\": [{\"Sid\": \"ended\", \"Effect\": \"Allow\", \"Principal\": {\"Service\": \"events.amazonaws.com\"}, \"Action\": \"lambda:InvokeFunction\", \"Resource\": \"arn:aws:lambda:eu-west-1:000000000000:function:reap\", \"Condition\": {\"ArnLike\": {\"AWS:SourceArn\": \"arn:aws:events:eu-west-1:000000000000:rule/ended\"}}}]}"}"#;

const BUCKET_POLICY: &str = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "s3:*",
    "Resource": "arn:aws:s3:::b/*", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}]}"#;

/// Head and body of a message.
fn read(stream: &mut TcpStream) -> (String, String) {
    let mut reader = BufReader::new(stream);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if line.trim().is_empty() {
            break;
        }
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        head.push_str(&line);
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    (head, String::from_utf8(body).unwrap())
}

struct Gateway {
    at: SocketAddr,
    emulator: Arc<Emulator>,
}

impl Gateway {
    fn start(statements: Value) -> Self {
        let emulator = Arc::new(Emulator::default());
        *emulator.policy.lock().unwrap() =
            json!({"Version": "2012-10-17", "Statement": statements});
        let upstream = emulator.start();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let at = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            runtime
                .unwrap()
                .block_on(server::serve(listener, upstream, "000000000000"))
        });
        Self { at, emulator }
    }

    fn send(&self, request: &str, headers: &str, body: &str) -> (u16, String) {
        self.send_to(&self.at.to_string(), request, headers, body)
    }

    /// To a host that is told of.
    fn send_to(&self, host: &str, request: &str, headers: &str, body: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(self.at).unwrap();
        let length = body.len();
        let head = format!(
            "{request} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n{headers}content-length: {length}\r\n\r\n"
        );
        stream
            .write_all(format!("{head}{body}").as_bytes())
            .unwrap();
        let (head, body) = read(&mut stream);
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body)
    }

    fn call(&self, caller: &str, service: &str, request: &str) -> (u16, String) {
        self.send(request, &signed(caller, service), "")
    }

    fn report(&self) -> Report {
        let (status, body) = self.send("GET /_floodgate/report", "", "");
        assert_eq!(status, 200, "{body}");
        serde_json::from_str(&body).unwrap()
    }

    /// What reached the emulator besides questions of the gateway's own.
    fn passed(&self) -> Vec<String> {
        let requests = self.emulator.requests.lock().unwrap();
        let own = |line: &&String| !line.contains("?policy") && !line.starts_with("POST / ");
        requests.iter().filter(own).cloned().collect()
    }
}

fn signed(caller: &str, service: &str) -> String {
    format!(
        "authorization: AWS4-HMAC-SHA256 Credential={caller}/20260101/eu-west-1/{service}/aws4_request, SignedHeaders=host, Signature=0\r\n"
    )
}

fn allow(action: &str, resource: &str) -> Value {
    json!({"Sid": "Some", "Effect": "Allow", "Action": [action], "Resource": [resource]})
}

#[test]
fn what_is_allowed_passes_and_what_is_not_never_reaches_the_emulator() {
    let gateway = Gateway::start(json!([allow("s3:GetObject", "arn:aws:s3:::b/own/*")]));
    let (status, body) = gateway.call("ci", "s3", "GET /b/own/x");
    assert_eq!(
        (status, body.as_str()),
        (200, "answer to GET /b/own/x HTTP/1.1")
    );
    let (status, body) = gateway.call("ci", "s3", "GET /b/other/x");
    assert_eq!(status, 403);
    let says = "assumed-role/ci/floodgate is not authorized to perform: s3:GetObject on resource: arn:aws:s3:::b/other/x";
    assert!(body.contains(says), "{body}");
    assert_eq!(gateway.call("ci", "s3", "PUT /b/own/x").0, 403);
    // A test that wants a refusal says so.
    assert_eq!(gateway.call("ci~refused", "s3", "DELETE /b/own/x").0, 403);
    assert_eq!(gateway.call("test", "s3", "PUT /b/own/x").0, 200);
    assert_eq!(
        gateway.passed(),
        ["GET /b/own/x HTTP/1.1", "PUT /b/own/x HTTP/1.1"]
    );
    let report = gateway.report();
    assert_eq!(
        (report.calls, report.refused.len(), report.expected),
        (4, 2, 1)
    );
    let [permission] = report.permissions.as_slice() else {
        panic!("{report:?}");
    };
    assert_eq!((permission.role.as_str(), permission.times), ("ci", 1));
}

#[test]
fn an_api_is_open_to_whoever_does_not_sign_and_its_routes_to_whom_a_policy_lets() {
    let api = "arn:aws:execute-api:eu-west-1:000000000000:0a1b2c3d";
    let gateway = Gateway::start(json!([allow(
        "execute-api:Invoke",
        &format!("{api}/*/GET/iam/*")
    )]));
    let host = "0a1b2c3d.execute-api.localhost";
    let ask = |request: &str, headers: &str| gateway.send_to(host, request, headers, "");
    assert_eq!(
        ask("GET /v1/tests", "authorization: Bearer token\r\n").0,
        200
    );
    assert_eq!(
        ask("GET /iam/v1/tests", &signed("ci", "execute-api")).0,
        200
    );
    let (status, body) = ask("PUT /iam/v1/tests", &signed("ci~refused", "execute-api"));
    assert!(
        status == 403 && body.contains(&format!("{api}/$default/PUT/iam/v1/tests")),
        "{body}"
    );
    assert_eq!(gateway.passed().len(), 2);
}

#[test]
fn an_absent_object_is_forbidden_to_whoever_may_not_list() {
    let read = allow("s3:GetObject", "arn:aws:s3:::b/*");
    let gateway = Gateway::start(json!([read]));
    let (status, body) = gateway.call("ci", "s3", "GET /b/missing");
    assert!(
        status == 403 && body.contains("AccessDenied"),
        "{status} {body}"
    );
    // Nothing was refused that the caller should have had.
    assert!(gateway.report().refused.is_empty());
    let list = allow("s3:ListBucket", "arn:aws:s3:::b");
    let gateway = Gateway::start(json!([read, list]));
    assert_eq!(gateway.call("ci", "s3", "GET /b/missing").0, 404);
    let mut bounded = list;
    bounded["Condition"] = json!({"StringLike": {"s3:prefix": "own/*"}});
    let gateway = Gateway::start(json!([read, bounded]));
    assert_eq!(gateway.call("ci", "s3", "GET /b/missing").0, 403);
    assert_eq!(
        gateway
            .call("ci", "s3", "GET /b?list-type=2&prefix=own%2Fx")
            .0,
        200
    );
    assert_eq!(
        gateway.call("ci~refused", "s3", "GET /b?list-type=2").0,
        403
    );
}

#[test]
fn the_policy_of_the_bucket_counts_too() {
    let gateway = Gateway::start(json!([allow("s3:GetObject", "*")]));
    let plain = format!("{}x-forwarded-proto: http\r\n", signed("ci~refused", "s3"));
    let (status, body) = gateway.send("GET /b/x", &plain, "");
    assert!(
        status == 403 && body.contains("with an explicit deny"),
        "{body}"
    );
    assert_eq!(gateway.call("ci", "s3", "GET /b/x").0, 200);
}

#[test]
fn a_changed_policy_counts_from_then_on() {
    let gateway = Gateway::start(json!([allow("s3:GetObject", "arn:aws:s3:::b/*")]));
    assert_eq!(gateway.call("ci", "s3", "GET /b/x").0, 200);
    let none = json!({"Version": "2012-10-17", "Statement": [allow("s3:PutObject", "*")]});
    *gateway.emulator.policy.lock().unwrap() = none;
    assert_eq!(
        gateway.call("ci", "s3", "GET /b/x").0,
        200,
        "nobody has said that it changed"
    );
    gateway.send("POST /", &signed("test", "iam"), "Action=PutRolePolicy");
    assert_eq!(gateway.call("ci~refused", "s3", "GET /b/x").0, 403);
}

#[test]
fn a_caller_is_told_who_it_is_whatever_it_may() {
    let gateway = Gateway::start(json!([allow("s3:GetObject", "*")]));
    let body = "Action=GetCallerIdentity&Version=2011-06-15";
    let (status, body) = gateway.send("POST /", &signed("ci", "sts"), body);
    assert_eq!(status, 200);
    assert!(
        body.contains("<Arn>arn:aws:sts::000000000000:assumed-role/ci/floodgate</Arn>"),
        "{body}"
    );
}

#[test]
fn what_services_do_for_a_role_is_put_to_the_gateway() {
    let gateway = Gateway::start(json!([allow(
        "lambda:InvokeFunction",
        "arn:aws:lambda:*:*:function:a"
    )]));
    let ask = |function: &str| {
        let asked = json!({"role": "ci", "action": "lambda:InvokeFunction", "context": {},
            "resource": format!("arn:aws:lambda:eu-west-1:000000000000:function:{function}")});
        let (status, body) = gateway.send("POST /_floodgate/authorize", "", &asked.to_string());
        assert_eq!(status, 200, "{body}");
        serde_json::from_str::<Value>(&body).unwrap()
    };
    assert_eq!(ask("a"), json!({"allowed": true, "message": null}));
    let refused = ask("b");
    let why = refused["message"].as_str().unwrap();
    assert!(
        why.contains("no identity-based policy allows the lambda:InvokeFunction action"),
        "{why}"
    );
    assert_eq!(gateway.report().refused.len(), 1);
}

/// A service may do what the policy of the role or the function says, under its conditions.
#[test]
fn what_services_do_by_themselves_needs_the_policy_of_the_resource() {
    let gateway = Gateway::start(json!([allow("s3:GetObject", "*")]));
    let ask = |service: &str, action: &str, resource: &str, context: Value| {
        let asked =
            json!({"service": service, "action": action, "resource": resource, "context": context});
        let (status, body) = gateway.send("POST /_floodgate/authorize", "", &asked.to_string());
        assert_eq!(status, 200, "{body}");
        serde_json::from_str::<Value>(&body).unwrap()["allowed"] == true
    };
    let (role, reap) = (
        "arn:aws:iam::000000000000:role/ci",
        "arn:aws:lambda:eu-west-1:000000000000:function:reap",
    );
    let own = json!({"aws:SourceAccount": "000000000000"});
    let other = json!({"aws:SourceAccount": "111111111111"});
    let (tasks, assume) = ("ecs-tasks.amazonaws.com", "sts:AssumeRole");
    assert!(ask(tasks, assume, role, own.clone()));
    assert!(!ask(tasks, assume, role, other));
    assert!(!ask(tasks, assume, role, json!({})));
    assert!(!ask(
        "lambda.amazonaws.com~refused",
        assume,
        role,
        own.clone()
    ));
    assert!(!ask(
        tasks,
        assume,
        "arn:aws:iam::000000000000:role/gone",
        own
    ));
    let (events, call) = ("events.amazonaws.com", "lambda:InvokeFunction");
    let rule = |name| json!({"aws:SourceArn": format!("arn:aws:events:eu-west-1:000000000000:rule/{name}")});
    assert!(ask(events, call, reap, rule("ended")));
    assert!(!ask(events, call, reap, rule("other")));
    assert!(!ask(
        events,
        call,
        &reap.replace("reap", "watch"),
        rule("ended")
    ));
    let report = gateway.report();
    assert_eq!(
        (report.refused.len(), report.expected),
        (4, 1),
        "{report:?}"
    );
    let said = report
        .refused
        .keys()
        .all(|why| why.contains("no resource-based policy allows"));
    assert!(said, "{report:?}");
}

/// Nothing is let through for not being understood, and the report tells of all of it.
#[test]
fn what_is_not_understood_is_refused_and_reported() {
    let gateway = Gateway::start(json!([allow("s3:*", "*")]));
    assert_eq!(gateway.call("ci", "s3", "PUT /b/x?retention").0, 403);
    assert_eq!(gateway.call("ci", "kms", "POST /").0, 403);
    assert_eq!(gateway.call("somebody", "s3", "GET /b/x").0, 502);
    assert_eq!(gateway.send("GET /b/x", "", "").0, 502);
    assert!(gateway.passed().is_empty(), "{:?}", gateway.passed());
    let unknown: Vec<String> = gateway.report().unknown.into_keys().collect();
    let all = unknown.join("\n");
    for part in [
        "retention",
        "kms",
        "somebody is neither a role nor a managed policy",
        "is not signed",
    ] {
        assert!(all.contains(part), "{part}: {all}");
    }
    // The emulator's health is not a call of AWS.
    assert_eq!(gateway.send("GET /_ministack/health", "", "").0, 200);
}
