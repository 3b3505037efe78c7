//! The StatsD server of npm.

use super::server::{Process, free_port, installed, listening};
use super::*;
use serde_json::Value;
use std::path::Path;
use std::process::Command;

/// A backend that appends what it is told at each flush.
const BACKEND: &str = "exports.init = (started, config, events) => {
  events.on('flush', (time, all) => require('fs').appendFileSync(config.capture, JSON.stringify(all) + '\\n'));
  return true;
};
";

fn start(script: &Path, folder: &Path) -> (Process, u16) {
    let (port, management) = (free_port(), free_port());
    let (backend, capture) = (folder.join("capture.js"), folder.join("captured.jsonl"));
    std::fs::write(&backend, BACKEND).unwrap();
    std::fs::write(&capture, "").unwrap();
    let config = format!(
        "{{ servers: [{{ server: './servers/udp', address: '127.0.0.1', port: {port} }}, \
           {{ server: './servers/tcp', address: '127.0.0.1', port: {port} }}],\n\
           mgmt_address: '127.0.0.1', mgmt_port: {management}, flushInterval: 200, backends: ['{}'], capture: '{}' }}\n",
        backend.display(),
        capture.display()
    );
    std::fs::write(folder.join("config.js"), config).unwrap();
    let mut command = Command::new("node");
    let process = Process::start(command.arg(script).arg(folder.join("config.js")));
    listening(port);
    (process, port)
}

/// What a counter was given over all flushes, by a path below a flush.
fn sum(folder: &Path, of: &str, name: &str, field: Option<&str>) -> f64 {
    let text = std::fs::read_to_string(folder.join("captured.jsonl")).unwrap();
    let flushes = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let value = |flush: Value| {
        let value = &flush[of][name];
        let value = field.map_or(value, |field| &value[field]);
        value.as_f64().unwrap_or(0.0)
    };
    flushes.map(value).sum()
}

#[test]
fn counters_and_timers_arrive_each_once() {
    let Some(script) = installed("FLOODGATE_STATSD") else {
        return;
    };
    let bench = Bench::new();
    let (_, summary) = run(&bench, 20, &[]);
    for transport in ["udp", "tcp"] {
        let folder = tempfile::tempdir().unwrap();
        let (_process, port) = start(&script, folder.path());
        let url = format!("statsd://127.0.0.1:{port}?transport={transport}&tags=none&prefix=k6.");
        export(&bench, &summary, &url).expect(0);
        let sum = |of: &str, name: &str, field| sum(folder.path(), of, name, field);
        eventually("all requests", || {
            sum("counters", "k6.http_reqs", None) >= 54.0
        });
        eventually("all times", || {
            sum("timer_data", "k6.http_req_duration", Some("count")) >= 54.0
        });
        // Whatever came after would be too much: gauges are the last rows of a run.
        assert_eq!(sum("counters", "k6.http_reqs", None), 54.0, "{transport}");
        assert_eq!(sum("counters", "k6.http_req_failed", None), 7.0);
        let total = sum("timer_data", "k6.http_req_duration", Some("sum"));
        let mean = value(&summary, "http_req_duration", "avg");
        assert!((total / 54.0 / mean - 1.0).abs() < 1e-3, "{total} {mean}");
        assert_eq!(sum("counters", "statsd.bad_lines_seen", None), 0.0);
    }
}
