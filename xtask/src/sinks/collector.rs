//! An OpenTelemetry Collector with what the tests need and no more: a receiver of OTLP, and an exporter that writes what came into a file. It is
//! built from its Go modules, where there is a Go.

use super::folder;
use crate::repo;
use std::path::PathBuf;
use std::process::Command;

/// Changes with the modules.
const FOLDER: &str = "otelcol-1";

/// The program, built if need be.
pub(super) fn set_up() -> Result<PathBuf, String> {
    let folder = folder(FOLDER)?;
    let program = folder.join("otelcol");
    if program.exists() {
        return Ok(program);
    }
    let go = repo::find_program("go", None).ok_or("there is no go to build the Collector with")?;
    for name in ["go.mod", "go.sum", "main.go"] {
        let from = repo::root().join("xtask/src/sinks/collector").join(name);
        std::fs::copy(&from, folder.join(name))
            .map_err(|error| format!("{}: {error}", from.display()))?;
    }
    let unfinished = folder.join("otelcol.part");
    let output = Command::new(go)
        .args(["build", "-trimpath", "-o"])
        .arg(&unfinished)
        .arg(".")
        .env("GOFLAGS", "-mod=readonly")
        .env("CGO_ENABLED", "0")
        .current_dir(&folder)
        .output()
        .map_err(|error| format!("go: {error}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let last = said.lines().rfind(|line| !line.trim().is_empty());
        return Err(format!("go build: {}", last.unwrap_or("failed")));
    }
    std::fs::rename(&unfinished, &program)
        .map_err(|error| format!("{}: {error}", program.display()))?;
    Ok(program)
}
