//! How long the routes of `floodgate serve` take over a folder with 10,000 runs.
//!
//! One run is that of the demo; the others are copies of it under other ids, in twenty tests. Requests go one after another over one
//! connection, so that what is measured is the service's own time and a loopback connection's.

use crate::bench::context::{self, Context};
use crate::bench::process::{pinned, user_and_system};
use crate::bench::stats::quantile;
use crate::bench::table::{Table, number};
use crate::repo;
use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const RUNS: usize = 10_000;
const TESTS: usize = 20;
/// Requests of a route in each round.
const REQUESTS: usize = 20;
const TOKEN: &str = "a-token-for-the-benchmark";
/// Files that were written this long ago are believed not to change unseen.
const SETTLED: Duration = Duration::from_secs(4);

pub(in crate::bench) fn run(context: &Context) -> Result<String> {
    let program = match &context.floodgate {
        Some(given) => given.clone(),
        None => {
            context::build(true)?;
            repo::target_dir()?.join("dist/floodgate")
        }
    };
    let folder = tempfile::tempdir_in(&context.scratch)?;
    let id = folder_of_runs(&program, folder.path())?;
    std::thread::sleep(SETTLED);
    let service = Service::start(context, &program, folder.path())?;
    let mut client = Client::new(&service.address)?;
    let routes = routes(&id);
    let mut first = Vec::new();
    for path in &routes {
        first.push(client.get(path)?);
    }
    let mut answers: Vec<Vec<Answer>> = routes.iter().map(|_| Vec::new()).collect();
    let mut cpu_s = vec![0.0; routes.len()];
    for _ in 0..context.rounds {
        for (at, path) in routes.iter().enumerate() {
            let before = service.cpu_s()?;
            for _ in 0..REQUESTS {
                answers[at].push(client.get(path)?);
            }
            cpu_s[at] += service.cpu_s()? - before;
        }
    }
    let mut table = Table::new(&[
        "Route", "p50 ms", "p95 ms", "max ms", "CPU ms", "first ms", "KiB",
    ]);
    for (at, path) in routes.iter().enumerate() {
        let ms = || answers[at].iter().map(|a| a.ms).collect::<Vec<_>>();
        table.row([
            format!("`{}`", path.replace(&id, "ID")),
            number(quantile(ms(), 0.5), 1),
            number(quantile(ms(), 0.95), 1),
            number(quantile(ms(), 1.0), 1),
            number(Some(cpu_s[at] * 1e3 / answers[at].len() as f64), 1),
            number(Some(first[at].ms), 1),
            number(Some(first[at].bytes as f64 / 1_024.0), 1),
        ]);
    }
    Ok(format!(
        "\n## The API\n\n`floodgate serve` on core {} over {RUNS} runs of {TESTS} tests; one connection, {} requests of each route, one after \
         another. The first requests come in the order of the table, to a service that has read nothing yet.\n\n{}",
        context.cores.server,
        REQUESTS * context.rounds as usize,
        table.finish()
    ))
}

fn routes(id: &str) -> Vec<String> {
    let below = |path: &str| format!("/v1/projects/demo{path}");
    let mut routes = vec![
        "/v1/projects".to_owned(),
        "/v1/executions".into(),
        "/v1/tests".into(),
    ];
    routes.extend(
        [
            "/executions",
            "/executions?limit=1000",
            "/executions?branch=none",
            "/executions?test=test-07&status=failed",
            "/tests",
            "/tests/test-07/versions",
            "/tests/test-07/trend",
            "/tests/test-07/thresholds",
            "/tests/test-07/baseline",
            "/members",
            "/budget",
            "/schedules",
            "/audit?limit=100",
            "/audit?limit=100&skip=15000",
        ]
        .map(below),
    );
    let of_run = ["", "/verdict", "/report"];
    routes.extend(of_run.map(|path| below(&format!("/executions/{id}{path}"))));
    routes.push(below(&format!("/comparisons?executions={id},{}", id_of(1))));
    routes
}

fn id_of(n: usize) -> String {
    format!("01JD{n:022}")
}

/// Makes the folder; returns the id of a run in it.
fn folder_of_runs(program: &Path, folder: &Path) -> Result<String> {
    let status = Command::new(program)
        .args(["demo", "--quiet", "--out", "runs"])
        .current_dir(folder)
        .stdout(Stdio::null())
        .status()?;
    // Whatever comes of the thresholds of the demo, it is on record.
    ensure!(
        matches!(status.code(), Some(0 | 98 | 99)),
        "the run that is copied: {status}"
    );
    let records = folder.join("runs/.records/demo");
    let made = fs::read_dir(&records)?.flatten().find_map(|entry| {
        let name = entry.file_name().into_string().ok()?;
        Some(name.strip_suffix(".json")?.to_owned())
    });
    let made = made.context("the run left no record")?;
    let record: Value = serde_json::from_slice(&fs::read(records.join(format!("{made}.json")))?)?;
    let executions = folder.join("runs/projects/demo/executions");
    for n in 0..RUNS {
        let mut copy = record.clone();
        let ended = if n % 7 == 0 { "failed" } else { "passed" };
        copy["id"] = json!(id_of(n));
        copy["test"] = json!(format!("test-{:02}", n % TESTS));
        copy["status"] = json!(ended);
        copy["trigger"]["branch"] = json!("main");
        copy["trigger"]["commit"] = json!(format!("{n:040x}"));
        let text = serde_json::to_vec_pretty(&copy)?;
        fs::write(records.join(format!("{}.json", id_of(n))), text)?;
        let to = executions.join(id_of(n));
        fs::create_dir_all(&to)?;
        for entry in fs::read_dir(executions.join(&made))?.flatten() {
            if entry.file_type()?.is_file() {
                fs::hard_link(entry.path(), to.join(entry.file_name()))?;
            }
        }
    }
    let trail = records.join("audit.jsonl");
    let entries = fs::read_to_string(&trail)?;
    let mut all = String::new();
    for n in 0..RUNS {
        all.push_str(&entries.replace(&made, &id_of(n)));
    }
    fs::write(trail, all)?;
    Ok(id_of(RUNS / 2))
}

/// `floodgate serve`, until this is dropped.
struct Service {
    child: Child,
    address: String,
}

impl Service {
    fn start(context: &Context, program: &Path, folder: &Path) -> Result<Self> {
        let mut sha256 = String::new();
        for byte in Sha256::digest(TOKEN) {
            write!(sha256, "{byte:02x}")?;
        }
        let tokens = json!({"tokens": [{"principal": "bench", "sha256": sha256, "projects": {"demo": "admin"}}]});
        fs::write(folder.join("tokens.json"), tokens.to_string())?;
        let mut command = Command::new(program);
        command
            .args([
                "serve",
                "--listen",
                "127.0.0.1:0",
                "--tokens",
                "tokens.json",
            ])
            .args(["--rate", "100000", "--out", "runs"])
            .current_dir(folder);
        let mut child = pinned(&command, context.cores.server)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("start {}", program.display()))?;
        let stdout = child.stdout.take().context("its output is not captured")?;
        let mut url = String::new();
        BufReader::new(stdout).read_line(&mut url)?;
        let address = url.trim().trim_start_matches("http://").to_owned();
        // From here on dropping stops it, whatever it printed.
        let service = Self { child, address };
        ensure!(
            !service.address.is_empty(),
            "floodgate serve printed no address"
        );
        Ok(service)
    }

    fn cpu_s(&self) -> Result<f64> {
        user_and_system(self.child.id().cast_signed()).context("floodgate serve has ended")
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How long an answer took to its last byte, and how long it is.
struct Answer {
    ms: f64,
    bytes: usize,
}

/// One connection that is kept.
struct Client {
    stream: BufReader<TcpStream>,
    address: String,
}

impl Client {
    fn new(address: &str) -> Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        Ok(Self {
            stream: BufReader::new(stream),
            address: address.to_owned(),
        })
    }

    fn get(&mut self, path: &str) -> Result<Answer> {
        let head = format!(
            "GET {path} HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {TOKEN}\r\n\r\n",
            self.address
        );
        let began = Instant::now();
        self.stream.get_mut().write_all(head.as_bytes())?;
        let (mut lines, mut length) = (Vec::new(), None);
        loop {
            let mut line = String::new();
            ensure!(
                self.stream.read_line(&mut line)? > 0,
                "{path}: the answer breaks off"
            );
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = Some(value.trim().parse::<usize>()?);
            }
            if line.trim().is_empty() {
                break;
            }
            lines.push(line);
        }
        let mut body = vec![0; length.with_context(|| format!("{path}: no length"))?];
        self.stream.read_exact(&mut body)?;
        let ms = began.elapsed().as_secs_f64() * 1e3;
        let status = lines.first().map_or("", |line| line.trim());
        ensure!(
            status == "HTTP/1.1 200 OK",
            "{path}: {status}: {}",
            String::from_utf8_lossy(&body)
        );
        Ok(Answer {
            ms,
            bytes: body.len(),
        })
    }
}
