//! Python environments in the user's cache, one for each list of packages.

use crate::repo;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The environment's Python, made if need be; `name` is the folder's, and changes with the list.
///
/// # Errors
/// Why there is none: a sentence for the account.
pub(crate) fn environment(name: &str, base: &Path, packages: &[&str]) -> Result<PathBuf, String> {
    let cache =
        repo::cache_dir().ok_or("there is neither XDG_CACHE_HOME nor HOME to keep packages in")?;
    let environment = cache.join(name);
    let python = environment.join("bin/python");
    let complete = environment.join("complete");
    let list = packages.join("\n");
    if python.exists() && std::fs::read_to_string(&complete).is_ok_and(|made| made == list) {
        return Ok(python);
    }
    let path = environment
        .to_str()
        .ok_or_else(|| format!("{}: not UTF-8", environment.display()))?;
    quietly(base, &["-m", "venv", "--clear", path])
        .map_err(|why| format!("python3 -m venv (package python3-venv?): {why}"))?;
    let install = [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--retries=1",
        "--timeout=20",
    ];
    let arguments: Vec<&str> = install.iter().chain(packages).copied().collect();
    quietly(&python, &arguments).map_err(|why| format!("{}: {why}", packages.join(" ")))?;
    std::fs::write(&complete, list).map_err(|error| format!("{}: {error}", complete.display()))?;
    Ok(python)
}

/// A Python 3 whose minor version is accepted: of `$PATH`, or one that pyenv keeps.
pub(crate) fn find(accepts: impl Fn(u32) -> bool) -> Option<PathBuf> {
    let named = ["python3", "python3.13", "python3.12", "python3.11"];
    let on_path = named
        .iter()
        .filter_map(|name| repo::find_program(name, None));
    // A shim of pyenv is on the path for versions that are not active: it must be asked, not believed.
    on_path
        .chain(kept_by_pyenv())
        .find(|python| minor(python).is_some_and(&accepts))
}

fn kept_by_pyenv() -> Vec<PathBuf> {
    let root = std::env::var_os("PYENV_ROOT")
        .map(PathBuf::from)
        .or_else(|| Some(Path::new(&std::env::var_os("HOME")?).join(".pyenv")));
    let entries = root.and_then(|root| std::fs::read_dir(root.join("versions")).ok());
    let mut found: Vec<PathBuf> = entries
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path().join("bin/python3"))
        .filter(|python| python.exists())
        .collect();
    found.sort();
    found
}

/// The `n` of Python 3.n.
fn minor(python: &Path) -> Option<u32> {
    let asked = Command::new(python)
        .args(["-c", "import sys; print(*sys.version_info[:2])"])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let said = String::from_utf8(asked.stdout).ok()?;
    said.trim().strip_prefix("3 ")?.parse().ok()
}

/// Runs a command without a word; its last line of complaint if it fails.
pub(crate) fn quietly(program: &Path, arguments: &[&str]) -> Result<(), String> {
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

    #[test]
    fn a_python_that_nobody_accepts_is_not_found() {
        assert_eq!(find(|_| false), None);
        assert_eq!(minor(Path::new("/bin/false")), None);
    }
}
