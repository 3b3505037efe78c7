//! Servers of the tests: processes that end with them, and a proxy that misbehaves.

use crate::support::eventually;
use serde_json::Value;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// Where something is that `cargo xtask test` installs; `None` where it is not, which is said.
pub fn installed(variable: &str) -> Option<PathBuf> {
    let found = std::env::var_os(variable).map(PathBuf::from);
    if found.is_none() {
        eprintln!("skipped: {variable} is not set (cargo xtask sinks)");
    }
    found
}

/// A port that nobody listens on now, nor any connection is given before a server listens there.
pub fn free_port() -> u16 {
    floodgate_engines::port::free(|port| TcpListener::bind(("127.0.0.1", port))).unwrap()
}

/// A process that is killed when the test ends.
pub struct Process(Child);

impl Process {
    pub fn start(command: &mut Command) -> Self {
        let quiet = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        Self(quiet.spawn().unwrap())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Waits until somebody listens there.
pub fn listening(port: u16) {
    eventually("a server", || {
        TcpStream::connect(("127.0.0.1", port)).is_ok()
    });
}

/// The status and the body of an answer.
pub fn ask(port: u16, method: &str, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    write!(
        stream,
        "{method} {path} HTTP/1.0\r\nhost: 127.0.0.1:{port}\r\ncontent-length: 0\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head[9..12].parse().unwrap(), body.to_owned())
}

/// InfluxDB 1 with nothing in it.
pub struct Influx {
    pub port: u16,
    _process: Process,
    _folder: tempfile::TempDir,
}

impl Influx {
    /// `None` where it is not installed.
    pub fn start() -> Option<Self> {
        let program = installed("FLOODGATE_INFLUXD")?;
        let folder = tempfile::tempdir().unwrap();
        let (port, backup) = (free_port(), free_port());
        let config = folder.path().join("influxdb.conf");
        let place = folder.path().display();
        let text = format!(
            "reporting-disabled = true\nbind-address = \"127.0.0.1:{backup}\"\n[meta]\ndir = \"{place}/meta\"\n[data]\n\
             dir = \"{place}/data\"\nwal-dir = \"{place}/wal\"\n[http]\nbind-address = \"127.0.0.1:{port}\"\nlog-enabled = false\n\
             [monitor]\nstore-enabled = false\n"
        );
        std::fs::write(&config, text).unwrap();
        let process = Process::start(Command::new(program).arg("-config").arg(config));
        listening(port);
        Some(Self {
            port,
            _process: process,
            _folder: folder,
        })
    }

    /// The rows of the only series of the answer, without its times.
    pub fn query(&self, database: &str, statement: &str) -> Vec<Vec<Value>> {
        let encoded: String = statement
            .bytes()
            .map(|byte| format!("%{byte:02x}"))
            .collect();
        let path = format!("/query?db={database}&q={encoded}");
        let (status, body) = ask(self.port, "GET", &path);
        assert_eq!(status, 200, "{statement}: {body}");
        let answer: Value = serde_json::from_str(&body).unwrap();
        let result = &answer["results"][0];
        assert!(result.get("error").is_none(), "{statement}: {answer}");
        let series = result["series"].as_array().cloned().unwrap_or_default();
        let rows = series
            .iter()
            .flat_map(|one| one["values"].as_array().unwrap().clone());
        let values = |row: Value| row.as_array().unwrap()[1..].to_vec();
        rows.map(values).collect()
    }

    /// The only number of the answer.
    #[track_caller]
    pub fn number(&self, database: &str, statement: &str) -> f64 {
        let rows = self.query(database, statement);
        assert_eq!(rows.len(), 1, "{statement}: {rows:?}");
        rows[0][0]
            .as_f64()
            .unwrap_or_else(|| panic!("{statement}: {rows:?}"))
    }
}
