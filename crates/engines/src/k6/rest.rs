//! k6's REST API, by which setup and teardown run once for all tasks and all tasks start together
//! (<https://grafana.com/docs/k6/latest/misc/k6-rest-api/>; tried with 1.1, 1.8 and 2.2). In which order: [`Control`].
//!
//! Samples of setup and teardown come out of task 0's output as k6 writes them, in the groups `::setup` and `::teardown`.

use crate::control::{Control, ControlError, Phase, SetupData};
use crate::port;
use serde_json::Value;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

/// How to reach one task's k6.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestApi {
    /// Where its API listens, on loopback.
    pub address: SocketAddr,
    /// Whether this is the task that runs setup and teardown, and whose k6 waits for an interrupt at the end.
    pub leads: bool,
    /// Whether setup is to be run; not if the script's options say `noSetup`.
    pub setup: bool,
    /// Whether teardown is to be run; not if the script's options say `noTeardown`.
    pub teardown: bool,
}

/// What messages call the engine.
const ENGINE: &str = "k6";
/// Time for a call that k6 answers at once.
const AT_ONCE: Duration = Duration::from_secs(10);
/// The largest answer; only setup's data are large.
const MAX_ANSWER: u64 = 64 << 20;

impl Control for RestApi {
    fn leads(&self) -> bool {
        self.leads
    }

    fn has_setup(&self) -> bool {
        self.setup
    }

    fn is_ready(&self) -> bool {
        self.phase().is_ok_and(|phase| phase == Phase::Paused)
    }

    fn ended(&self) -> Option<Phase> {
        self.phase().ok().filter(|phase| *phase >= Phase::Over)
    }

    // k6 itself bounds it by the option `setupTimeout`.
    fn run_setup(&self, timeout: Duration) -> Result<SetupData, ControlError> {
        if !self.setup {
            return Ok(None);
        }
        let answer = self.call("setup", "POST", "/v1/setup", b"", timeout)?;
        Ok(answer.pointer("/data/attributes/data").cloned())
    }

    fn put_setup(&self, data: &SetupData) -> Result<(), ControlError> {
        let body = data.as_ref().map(Value::to_string).unwrap_or_default();
        self.call("setup data", "PUT", "/v1/setup", body.as_bytes(), AT_ONCE)?;
        Ok(())
    }

    fn resume(&self) -> Result<(), ControlError> {
        let body = br#"{"data":{"type":"status","id":"default","attributes":{"paused":false}}}"#;
        self.call("start", "PATCH", "/v1/status", body, AT_ONCE)?;
        Ok(())
    }

    // Its exit code is 103 then.
    fn halt(&self) -> Result<(), ControlError> {
        let body = br#"{"data":{"type":"status","id":"default","attributes":{"stopped":true}}}"#;
        self.call("stop", "PATCH", "/v1/status", body, AT_ONCE)?;
        Ok(())
    }

    // k6 itself bounds it by the option `teardownTimeout`.
    fn run_teardown(&self, timeout: Duration) -> Result<(), ControlError> {
        if self.teardown {
            self.call("teardown", "POST", "/v1/teardown", b"", timeout)?;
        }
        Ok(())
    }
}

impl RestApi {
    /// How far it is: `lib.ExecutionStatus` in <https://github.com/grafana/k6/blob/v2.2.0/lib/execution.go>. An error while k6 starts is
    /// usual: its API is not there from the first moment.
    ///
    /// # Errors
    /// [`ControlError`].
    pub fn phase(&self) -> Result<Phase, ControlError> {
        let call = "status";
        let answer = self.call(call, "GET", "/v1/status", b"", AT_ONCE)?;
        let number = answer
            .pointer("/data/attributes/status")
            .and_then(Value::as_u64);
        Ok(match number {
            Some(0..=3) => Phase::Starting,
            Some(4) => Phase::Paused,
            Some(5..=8) => Phase::Running,
            Some(10) => Phase::Interrupted,
            Some(9..) => Phase::Over,
            None => return Err(self.wrong(call, format!("no status in {answer}"), None)),
        })
    }

    fn call(
        &self,
        call: &'static str,
        method: &str,
        path: &str,
        body: &[u8],
        timeout: Duration,
    ) -> Result<Value, ControlError> {
        let answer = self.exchange(method, path, body, timeout);
        let answer = answer.map_err(|source| ControlError::Io {
            call,
            engine: ENGINE,
            address: self.address,
            source,
        })?;
        let split = memchr::memmem::find(&answer, b"\r\n\r\n");
        let (head, body) = match split {
            Some(at) => (&answer[..at], &answer[at + 4..]),
            None => return Err(self.wrong(call, "the answer is not HTTP".to_owned(), None)),
        };
        let head = String::from_utf8_lossy(head);
        let status = head
            .strip_prefix("HTTP/1.")
            .and_then(|rest| rest.get(2..5)?.parse::<u16>().ok());
        let status =
            status.ok_or_else(|| self.wrong(call, "the answer is not HTTP".to_owned(), None))?;
        if !(200..300).contains(&status) {
            let detail = detail(body);
            if matches!(call, "setup" | "teardown") && status == 500 {
                return Err(ControlError::Function {
                    function: call,
                    problem: detail.lines().next().unwrap_or_default().to_owned(),
                });
            }
            return Err(ControlError::Refused {
                call,
                engine: ENGINE,
                address: self.address,
                status,
                detail,
            });
        }
        if body.trim_ascii().is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(body).map_err(|error| {
            let problem = format!("the answer is not JSON: {error}");
            self.wrong(call, problem, Some(error))
        })
    }

    /// HTTP/1.0, so that the answer ends with the connection and is not chunked.
    fn exchange(
        &self,
        method: &str,
        path: &str,
        body: &[u8],
        timeout: Duration,
    ) -> io::Result<Vec<u8>> {
        let mut stream = TcpStream::connect_timeout(&self.address, AT_ONCE)?;
        stream.set_write_timeout(Some(AT_ONCE))?;
        stream.set_read_timeout(Some(timeout))?;
        stream.set_nodelay(true)?;
        let mut request = format!(
            "{method} {path} HTTP/1.0\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            self.address,
            body.len()
        )
        .into_bytes();
        request.extend_from_slice(body);
        stream.write_all(&request)?;
        let mut answer = Vec::new();
        stream.take(MAX_ANSWER + 1).read_to_end(&mut answer)?;
        if answer.len() as u64 > MAX_ANSWER {
            let problem = format!("the answer is longer than {MAX_ANSWER} bytes");
            return Err(io::Error::new(io::ErrorKind::InvalidData, problem));
        }
        Ok(answer)
    }

    fn wrong(
        &self,
        call: &'static str,
        problem: String,
        source: Option<serde_json::Error>,
    ) -> ControlError {
        ControlError::Answer {
            call,
            engine: ENGINE,
            address: self.address,
            problem,
            source,
        }
    }
}

/// What k6 says of an error: `{"errors":[{"status","title","detail"}]}`, else the beginning of what came.
fn detail(body: &[u8]) -> String {
    let parsed: Option<Value> = serde_json::from_slice(body).ok();
    let said = parsed
        .as_ref()
        .and_then(|body| body.pointer("/errors/0/detail")?.as_str());
    let said = said.map_or_else(|| String::from_utf8_lossy(body), Into::into);
    said.trim().chars().take(1_000).collect()
}

/// A port on loopback that nobody has at the moment. k6 exits with 106 should another take it before.
///
/// # Errors
/// If there is none.
pub(super) fn free_address() -> io::Result<SocketAddr> {
    let port = port::free(|port| TcpListener::bind(("127.0.0.1", port)))?;
    Ok(SocketAddr::from(([127, 0, 0, 1], port)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::thread::{JoinHandle, spawn};

    /// Answers one call, and gives back what was asked.
    fn once(answer: &'static str) -> (RestApi, JoinHandle<String>) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let asked = spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = Vec::new();
            let mut buffer = [0; 4_096];
            loop {
                let read = stream.read(&mut buffer).unwrap();
                request.extend_from_slice(&buffer[..read]);
                let text = String::from_utf8_lossy(&request).into_owned();
                let length: Option<usize> = text
                    .split("Content-Length: ")
                    .nth(1)
                    .and_then(|rest| rest.split("\r\n").next()?.parse().ok());
                if let (Some((_, body)), Some(length)) = (text.split_once("\r\n\r\n"), length)
                    && body.len() >= length
                {
                    stream.write_all(answer.as_bytes()).unwrap();
                    return text;
                }
            }
        });
        (
            RestApi {
                address,
                leads: true,
                setup: true,
                teardown: true,
            },
            asked,
        )
    }

    #[test]
    fn setup_gives_its_data_or_none() {
        let (control, asked) = once(
            "HTTP/1.0 200 OK\r\n\r\n{\"data\":{\"type\":\"setupData\",\"id\":\"default\",\"attributes\":{\"data\":{\"b\":1.5,\"a\":\"x\"}}}}",
        );
        let data = control.run_setup(AT_ONCE).unwrap();
        assert_eq!(data.unwrap().to_string(), r#"{"b":1.5,"a":"x"}"#);
        assert!(
            asked
                .join()
                .unwrap()
                .starts_with("POST /v1/setup HTTP/1.0\r\n")
        );
        let (control, asked) = once(
            "HTTP/1.0 200 OK\r\n\r\n{\"data\":{\"type\":\"setupData\",\"id\":\"default\",\"attributes\":{}}}",
        );
        assert_eq!(control.run_setup(AT_ONCE).unwrap(), None);
        asked.join().unwrap();
        let none = RestApi {
            setup: false,
            ..control
        };
        assert_eq!(none.run_setup(AT_ONCE).unwrap(), None, "nobody is asked");
    }

    #[test]
    fn an_exception_is_told_as_k6_says_it() {
        let (control, asked) = once(
            "HTTP/1.0 500 Internal Server Error\r\n\r\n{\"errors\":[{\"status\":\"500\",\"title\":\"Error executing setup\",\"detail\":\"Error: broken\"}]}",
        );
        let error = control.run_setup(AT_ONCE).unwrap_err().to_string();
        asked.join().unwrap();
        assert_eq!(error, "setup() failed: Error: broken");
        let (control, asked) = once("HTTP/1.0 404 Not Found\r\n\r\n");
        let error = control.run_teardown(AT_ONCE).unwrap_err().to_string();
        asked.join().unwrap();
        assert!(
            error.starts_with("teardown of k6 at 127.0.0.1:") && error.contains("status 404"),
            "{error}"
        );
    }

    #[test]
    fn phases_and_answers_of_others() {
        for (status, phase) in [
            (0, Phase::Starting),
            (4, Phase::Paused),
            (7, Phase::Running),
            (9, Phase::Over),
            (10, Phase::Interrupted),
            (11, Phase::Over),
        ] {
            let answer = format!(
                "HTTP/1.1 200 OK\r\nA: b\r\n\r\n{{\"data\":{{\"attributes\":{{\"status\":{status}}}}}}}"
            );
            let (control, asked) = once(answer.leak());
            assert_eq!(control.phase().unwrap(), phase);
            asked.join().unwrap();
        }
        for strange in [
            "",
            "SSH-2.0\r\n\r\n",
            "HTTP/1.1 200 OK\r\n\r\nhello",
            "HTTP/1.1 200 OK\r\n\r\n{}",
        ] {
            let (control, asked) = once(strange);
            let error = control.phase().unwrap_err().to_string();
            assert!(error.contains("another program"), "{error}");
            asked.join().unwrap();
        }
    }

    #[test]
    fn data_and_start_are_sent_as_k6_takes_them() {
        let (control, asked) = once("HTTP/1.0 200 OK\r\n\r\n{}");
        control
            .put_setup(&Some(serde_json::json!({"a": [1, "é"]})))
            .unwrap();
        assert!(asked.join().unwrap().ends_with("\r\n\r\n{\"a\":[1,\"é\"]}"));
        let (control, asked) = once("HTTP/1.0 200 OK\r\n\r\n");
        control.put_setup(&None).unwrap();
        assert!(asked.join().unwrap().ends_with("Content-Length: 0\r\n\r\n"));
        let (control, asked) = once("HTTP/1.0 200 OK\r\n\r\n{}");
        control.resume().unwrap();
        let asked = asked.join().unwrap();
        assert!(
            asked.starts_with("PATCH /v1/status ") && asked.contains("\"paused\":false"),
            "{asked}"
        );
    }
}
