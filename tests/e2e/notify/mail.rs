//! E-mail, taken by a server that is not ours.

use super::*;
use crate::export::server::free_port;
use std::path::Path;

const SERVER: &str = r#"
import json, ssl, sys, time
from email import message_from_bytes, policy
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

folder, mode = sys.argv[1:3]
context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
context.load_cert_chain(folder + "/cert.pem", folder + "/key.pem")

class Handler:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("gone@"):
            return "550 5.1.1 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        mail = message_from_bytes(envelope.content, policy=policy.default)
        told = {"from": envelope.mail_from, "to": envelope.rcpt_tos, "subject": mail["subject"], "id": mail["message-id"],
            "auto": mail["auto-submitted"], "text": mail.get_content(), "tls": session.ssl is not None, "user": session.auth_data}
        with open(folder + "/mails.jsonl", "a") as out:
            out.write(json.dumps(told) + "\n")
        return "250 taken"

def check(server, session, envelope, mechanism, data):
    ok = (data.login, data.password) == (b"ann", b"hunter2-plain")
    return AuthResult(success=ok, handled=False, auth_data=data.login.decode() if ok else None)

asked = {"starttls": {"tls_context": context, "require_starttls": True, "authenticator": check, "auth_required": True},
    "tls": {"ssl_context": context, "authenticator": check, "auth_required": True, "auth_require_tls": False}, "plain": {}}[mode]
controller = Controller(Handler(), hostname="127.0.0.1", port=int(sys.argv[3]), **asked)
controller.start()
time.sleep(3600)
"#;

/// A server process; it is killed when the test ends.
struct Server(std::process::Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn server(python: &Path, folder: &Path, mode: &str) -> (Server, u16) {
    let port = free_port();
    let started = Command::new(python)
        .args(["-c", SERVER])
        .arg(folder)
        .args([mode, &port.to_string()])
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    let server = Server(started);
    eventually("a mail server", || {
        std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()
    });
    (server, port)
}

/// A certificate that is trusted where `SSL_CERT_FILE` names it.
fn certificate(folder: &Path) {
    let done = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-days",
            "2",
        ])
        .args([
            "-subj",
            "/CN=localhost",
            "-addext",
            "subjectAltName=IP:127.0.0.1,DNS:localhost",
        ])
        .args([
            "-addext",
            "basicConstraints=critical,CA:FALSE",
            "-keyout",
            "key.pem",
            "-out",
            "cert.pem",
        ])
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
}

fn mails(folder: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(folder.join("mails.jsonl")).unwrap_or_default();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn a_mail_server_gets_the_mail_encrypted_and_with_the_users_password() {
    let Some(python) = python() else {
        return;
    };
    let target = TestServer::start(Config::fast()).unwrap();
    for (mode, scheme, user) in [
        ("starttls", "smtp", "ann@"),
        ("tls", "smtps", "ann@"),
        ("plain", "smtp", ""),
    ] {
        let bench = Bench::new();
        let folder = bench.path("");
        certificate(&folder);
        let (_server, port) = server(&python, &folder, mode);
        let password = match user {
            "" => "",
            _ => ", password: '${secret:plain}'",
        };
        let notify = format!(
            "  - {{email: [team@shop.example, lead@shop.example], from: load@shop.example, smtp: '{scheme}://{user}127.0.0.1:{port}'{password}, on: [failed], link: 'https://console.example'}}\n"
        );
        bench.write("test.yaml", &definition(&target, false, &notify));
        let secrets = bench.path(".floodgate/secrets");
        std::fs::create_dir_all(&secrets).unwrap();
        std::fs::write(secrets.join("plain"), HIDDEN[1]).unwrap();
        let setting = "export SSL_CERT_FILE=cert.pem";
        let ended = bench.spawn_limited(setting, &["run", "test.yaml"]).end();
        ended.expect(99);
        nothing_is_told(&bench, &ended);
        let mails = mails(&folder);
        assert_eq!(mails.len(), 1, "{mode}: {}", ended.stderr());
        let mail = &mails[0];
        assert_eq!(
            mail["to"],
            serde_json::json!(["team@shop.example", "lead@shop.example"])
        );
        assert_eq!(
            (&mail["from"], &mail["subject"]),
            (&"load@shop.example".into(), &"✗ e2e/arrivals failed".into())
        );
        // A server that speaks nothing but TLS does not say so of the session.
        assert_eq!(mail["tls"], mode == "starttls", "{mode}");
        assert_eq!(
            mail["user"].as_str().unwrap_or(""),
            user.trim_end_matches('@')
        );
        assert_eq!(mail["auto"], "auto-generated");
        let text = mail["text"].as_str().unwrap();
        assert!(
            text.contains("1 of 1 do not hold")
                && text.contains("https://console.example/#/runs/e2e/01"),
            "{text}"
        );
        assert!(
            mail["id"].as_str().unwrap().starts_with("<msg_01"),
            "{mail}"
        );
    }
}

#[test]
fn a_certificate_that_nobody_vouches_for_is_sent_no_password() {
    let Some(python) = python() else {
        return;
    };
    let (bench, target) = (Bench::new(), TestServer::start(Config::fast()).unwrap());
    let folder = bench.path("");
    certificate(&folder);
    let (_server, port) = server(&python, &folder, "tls");
    let notify = format!(
        "  - {{email: a@shop.example, from: b@shop.example, smtp: 'smtps://ann@127.0.0.1:{port}', password: '${{secret:plain}}', on: [passed]}}\n"
    );
    let ended = run(&bench, &definition(&target, true, &notify), 0, &[]);
    let said = ended.stderr();
    assert!(
        said.contains("did not take the mail") && said.contains("certificate"),
        "{said}"
    );
    nothing_is_told(&bench, &ended);
    assert!(mails(&folder).is_empty());
}

#[test]
fn a_recipient_who_is_refused_keeps_the_mail_from_nobody_else() {
    let Some(python) = python() else {
        return;
    };
    let target = TestServer::start(Config::fast()).unwrap();
    let bench = Bench::new();
    let folder = bench.path("");
    certificate(&folder);
    let (_server, port) = server(&python, &folder, "plain");
    let notify = format!(
        "  - {{email: [team@shop.example, gone@shop.example], from: load@shop.example, smtp: 'smtp://127.0.0.1:{port}', on: [failed]}}\n"
    );
    bench.write("test.yaml", &definition(&target, false, &notify));
    let ended = bench.floodgate(&["run", "test.yaml"]);
    ended.expect(99);
    let mails = mails(&folder);
    assert_eq!(mails.len(), 1, "{}", ended.stderr());
    assert_eq!(mails[0]["to"], serde_json::json!(["team@shop.example"]));
    let said = ended.stderr();
    assert!(
        said.contains("no such mailbox")
            && said.contains("for gone@shop.example; the others have it"),
        "{said}"
    );
}
