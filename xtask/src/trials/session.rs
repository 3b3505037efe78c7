//! A program, the servers that it is tried on, and a folder in which it keeps its runs.

use crate::repo;
use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use std::cell::Cell;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A program that is tried.
pub(super) struct Session {
    program: PathBuf,
    server: PathBuf,
    /// The seed of the next server: no two answer alike.
    seed: Cell<u64>,
    folder: tempfile::TempDir,
}

impl Session {
    /// Builds what is needed.
    pub(super) fn prepare(program: Option<&Path>, seed: u64) -> Result<Self> {
        let mut build = repo::cargo(&["build", "--release", "--quiet", "--locked", "--bins"]);
        build.arg("--package=floodgate-testserver");
        if program.is_none() {
            build.arg("--package=floodgate");
        }
        let status = build.status()?;
        ensure!(status.success(), "the build ended with {status}");
        let built = repo::target_dir()?.join("release");
        Ok(Self {
            program: match program {
                Some(program) => std::path::absolute(program)?,
                None => built.join("floodgate"),
            },
            server: built.join("floodgate-testserver"),
            seed: Cell::new(seed),
            folder: tempfile::tempdir()?,
        })
    }

    /// A shop whose pages take `latency` times as long as usual, at any port.
    pub(super) fn serve(&self, latency: &str) -> Result<Server> {
        self.serve_at(latency, "0")
    }

    /// The same in the place of another one: a test of another target is another test.
    pub(super) fn replace(&self, server: Server, latency: &str) -> Result<Server> {
        let port = server.url.rsplit(':').next().unwrap_or("0").to_owned();
        drop(server);
        self.serve_at(latency, &port)
    }

    fn serve_at(&self, latency: &str, port: &str) -> Result<Server> {
        let seed = self.seed.replace(self.seed.get() + 1).to_string();
        let mut child = Command::new(&self.server)
            .args([
                "service",
                "--latency",
                latency,
                "--seed",
                &seed,
                "--port",
                port,
            ])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("start {}", self.server.display()))?;
        let stdout = child.stdout.take();
        let mut server = Server {
            child,
            url: String::new(),
        };
        BufReader::new(stdout.context("there is no output")?).read_line(&mut server.url)?;
        server.url.truncate(server.url.trim_end().len());
        Ok(server)
    }

    /// The summary of a run of `scenario` against `target`, whatever its verdict is.
    ///
    /// # Errors
    /// What the program says if there is no summary.
    pub(super) fn run(&self, command: &[&str], target: &Server, scenario: &str) -> Result<Value> {
        let file = self.folder.path().join("trial.yaml");
        let target = &target.url;
        std::fs::write(
            &file,
            format!("version: 1\nproject: trials\ntest: page\ntarget: {target}\n{scenario}"),
        )?;
        let done = Command::new(&self.program)
            .current_dir(self.folder.path())
            .args(command)
            .args(["trial.yaml", "--json", "--quiet"])
            .output()?;
        serde_json::from_slice(&done.stdout)
            .with_context(|| format!("{}: {}", done.status, String::from_utf8_lossy(&done.stderr)))
    }
}

/// A server that runs until this is dropped.
pub(super) struct Server {
    child: Child,
    /// `http://127.0.0.1:PORT`.
    pub(super) url: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Requests to `page`, evenly spaced, for `seconds`.
pub(super) fn steady(page: &str, rate: u32, seconds: u32) -> String {
    format!(
        "scenarios:\n  page:\n    executor: constant-arrival-rate\n    rate: {rate}\n    duration: {seconds}s\n    preAllocatedVUs: 100\n    maxVUs: 2000\n    flow: [get: {page}]\n"
    )
}

/// How often runs ended how.
#[derive(Debug, Default)]
pub(super) struct Outcomes {
    compared: u32,
    regressed: u32,
    improved: u32,
    undecided: u32,
}

impl Outcomes {
    /// Counts a run, and says on standard error what came of it: trials take hours.
    pub(super) fn add(&mut self, what: &str, n: u32, summary: &Value) {
        let outcome = summary["comparison"]["outcome"].as_str();
        let p95 = summary["comparison"]["gates"]
            .as_array()
            .and_then(|gates| gates.iter().find(|gate| gate["aggregate"] == "p(95)"));
        let ratio = p95.map_or(&Value::Null, |gate| &gate["ratio"]);
        eprintln!(
            "{what} {n}: {}, {}, p95 {ratio}",
            summary["status"],
            outcome.unwrap_or("not compared")
        );
        self.compared += u32::from(outcome.is_some());
        match outcome {
            Some("regressed") => self.regressed += 1,
            Some("improved") => self.improved += 1,
            Some("undecided") => self.undecided += 1,
            _ => {}
        }
    }

    /// As a row of [`HEAD`].
    pub(super) fn row(&self, what: &str) -> String {
        let share = |n: u32| {
            let percent = 100.0 * f64::from(n) / f64::from(self.compared.max(1));
            format!("{n} ({percent:.1} %)")
        };
        format!(
            "| {what} | {} | {} | {} | {} |",
            self.compared,
            share(self.regressed),
            share(self.improved),
            share(self.undecided)
        )
    }
}

/// The head of a table of [`Outcomes`].
pub(super) const HEAD: &str =
    "| Service | Compared | Regressed | Improved | Undecided |\n|---|--:|--:|--:|--:|";
