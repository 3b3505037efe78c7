//! Other programs' readers of the shards: DuckDB and Arrow, in a Python environment of their own.
//!
//! The tests that read shards with them look for `FLOODGATE_PYTHON`. The environment lies in the user's cache, not in
//! the repository, and is made once for each list of packages.

use crate::repo;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What is installed, pinned.
const PACKAGES: &[&str] = &["duckdb==2.0.0", "pyarrow==26.0.1"];

/// The variable that tells tests which Python has the readers.
pub(crate) const VARIABLE: &str = "FLOODGATE_PYTHON";

/// The environment's Python, made if need be.
///
/// # Errors
/// Why there is none: a sentence for the account.
pub(crate) fn set_up() -> Result<PathBuf, String> {
    if let Some(given) = std::env::var_os(VARIABLE) {
        return Ok(given.into());
    }
    let base = repo::find_program("python3", None).ok_or("there is no python3")?;
    let cache =
        repo::cache_dir().ok_or("there is neither XDG_CACHE_HOME nor HOME to keep packages in")?;
    let environment = cache.join(format!("readers-{}", PACKAGES.join("-").replace("==", "-")));
    let python = environment.join("bin/python");
    let complete = environment.join("complete");
    if complete.exists() && python.exists() {
        return Ok(python);
    }
    let path = environment
        .to_str()
        .ok_or_else(|| format!("{}: not UTF-8", environment.display()))?;
    quietly(&base, &["-m", "venv", "--clear", path])
        .map_err(|why| format!("python3 -m venv (package python3-venv?): {why}"))?;
    let install = [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--only-binary=:all:",
        "--retries=1",
        "--timeout=20",
    ];
    let arguments: Vec<&str> = install.iter().chain(PACKAGES).copied().collect();
    quietly(&python, &arguments).map_err(|why| format!("{}: {why}", PACKAGES.join(" ")))?;
    std::fs::write(&complete, PACKAGES.join("\n"))
        .map_err(|error| format!("{}: {error}", complete.display()))?;
    Ok(python)
}

/// Runs a command without a word; its last line of complaint if it fails.
fn quietly(program: &Path, arguments: &[&str]) -> Result<(), String> {
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .output();
    let output = output.map_err(|error| format!("{}: {error}", program.display()))?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stderr, output.stdout].concat();
    let said = String::from_utf8_lossy(&said);
    let last = said.lines().map(str::trim).rfind(|line| !line.is_empty());
    Err(last.map_or_else(|| output.status.to_string(), str::to_owned))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_told_by_its_last_line() {
        let told = quietly(
            Path::new("/bin/sh"),
            &["-c", "echo first >&2; echo the reason >&2; exit 3"],
        );
        assert_eq!(told.unwrap_err(), "the reason");
        assert_eq!(
            quietly(Path::new("/bin/sh"), &["-c", "exit 3"]).unwrap_err(),
            "exit status: 3"
        );
        quietly(Path::new("/bin/sh"), &["-c", "exit 0"]).unwrap();
    }
}
