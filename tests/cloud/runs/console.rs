//! `floodgate ui --cloud`: the console over the runs of a stack, with the permissions of whoever starts it.

use super::cli::floodgate;
use crate::execution::{PROJECT, arrivals, input};
use crate::stack::Stack;
use serde_json::Value;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Stdio};

/// Ended with the test.
struct Console {
    child: Child,
    port: u16,
    token: String,
}

impl Drop for Console {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Console {
    fn start(stack: &Stack, folder: &std::path::Path) -> Self {
        let mut command = floodgate(stack, folder, &["ui", "--project", PROJECT]);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut address = String::new();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        lines.read_line(&mut address).unwrap();
        let rest = address.trim().strip_prefix("http://127.0.0.1:").unwrap();
        let (port, token) = rest.split_once("/?token=").unwrap();
        Self {
            child,
            port: port.parse().unwrap(),
            token: token.to_owned(),
        }
    }

    /// The status and the JSON of an answer.
    fn ask(&self, method: &str, path: &str) -> (u16, Value) {
        let (port, token) = (self.port, &self.token);
        let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nauthorization: Bearer {token}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let json = serde_json::from_str(body).unwrap_or_default();
        (head[9..12].parse().unwrap(), json)
    }
}

#[tokio::test]
#[ignore = "needs the emulator: cargo xtask test"]
async fn the_console_shows_runs_of_a_stack_and_stops_one() {
    let (stack, folder) = (Stack::shared().await, tempfile::tempdir().unwrap());
    let definition = |url: &str| arrivals("shown", url, (20, "2s"), 1, "");
    let (run, _, _) = stack.run_to_pass("shown", definition).await;
    let long = crate::execution::shop();
    let definition = arrivals("stopped-by-page", &long.url(), (20, "60s"), 1, "");
    let going = stack.start(&input("stopped-by-page", &definition)).await;
    crate::execution::eventually("the load", || long.counters().requests() > 20).await;

    let console = Console::start(&stack, folder.path());
    let (status, listed) = console.ask("GET", "/v1/executions?test=shown");
    assert_eq!(
        (status, &listed["executions"][0]["id"]),
        (200, &run.id.clone().into())
    );
    let at = format!("/v1/projects/{PROJECT}/executions");
    let (_, shown) = console.ask("GET", &format!("{at}/{}", run.id));
    assert_eq!(shown["has_report"], true, "finish leaves it");
    assert_eq!(
        shown["summary"]["metrics"]["http_reqs"]["values"]["count"],
        40.0
    );
    assert_eq!(
        console.ask("GET", &format!("{at}/{}/report", run.id)).0,
        200
    );
    let (_, tests) = console.ask("GET", "/v1/tests");
    assert!(tests.as_array().unwrap().len() >= 2, "{tests}");
    let live = format!("{at}/{}/live", going.id);
    // The first live object comes a second after the first request.
    crate::execution::eventually("requests on the page", || {
        let (_, now) = console.ask("GET", &live);
        assert_eq!(now["is_final"], false, "{now}");
        now["figures"]["requests"].as_u64() > Some(0)
    })
    .await;
    let abort = format!("{at}/{}/abort", going.id);
    assert_eq!(console.ask("POST", &abort).0, 202);
    let ended = going.end().await;
    assert_eq!(ended.error, "Floodgate.Aborted");
    assert_eq!(console.ask("POST", &abort).0, 409);
    let other = console.ask("GET", "/v1/projects/nobodys/audit");
    assert_eq!(other.0, 404);
}
