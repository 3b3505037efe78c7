//! Where things are, and how cargo is called.

use anyhow::{Context, Result, ensure};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The repository's root.
pub(crate) fn root() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here)
}

/// A cargo command at the root; the same cargo that runs this program.
///
/// It does not see what `cargo run` says of this program: some build scripts (`ring`'s) run again when those variables change, and
/// everything above them would be compiled anew whenever a contributor turns from `cargo test` to `cargo xtask test`.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).current_dir(root());
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(is_of_this_package) {
            command.env_remove(name);
        }
    }
    command
}

/// Whether `cargo run` sets this variable for the package that it runs.
fn is_of_this_package(variable: &str) -> bool {
    variable.starts_with("CARGO_PKG_") || variable.starts_with("CARGO_MANIFEST_")
}

/// Where cargo puts what it builds.
pub(crate) fn target_dir() -> Result<PathBuf> {
    let output = cargo(&["metadata", "--format-version=1", "--no-deps", "--locked"])
        .output()
        .context("run cargo metadata")?;
    ensure!(
        output.status.success(),
        "cargo metadata: {}",
        String::from_utf8_lossy(&output.stderr).trim()
    );
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    metadata["target_directory"]
        .as_str()
        .map(PathBuf::from)
        .context("cargo metadata names no target directory")
}

/// What survives a `cargo clean`: `$XDG_CACHE_HOME/floodgate` or `~/.cache/floodgate`.
pub(crate) fn cache_dir() -> Option<PathBuf> {
    let given = std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute());
    let cache =
        given.or_else(|| std::env::var_os("HOME").map(|home| Path::new(&home).join(".cache")))?;
    Some(cache.join("floodgate"))
}

/// The first executable of this name in `$PATH` or, before it, in `first`.
pub(crate) fn find_program(name: &str, first: Option<&Path>) -> Option<PathBuf> {
    use std::os::unix::fs::PermissionsExt;
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = first
        .map(Path::to_owned)
        .into_iter()
        .chain(std::env::split_paths(&path));
    folders.map(|folder| folder.join(name)).find(|file| {
        file.metadata()
            .is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
    })
}

/// Whether a package of the workspace has something under this path, such as `benches`.
pub(crate) fn any_package_has(folder: &str) -> bool {
    let crates = std::fs::read_dir(root().join("crates"))
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path());
    crates
        .chain([root().to_owned(), root().join("generator")])
        .any(|package| package.join(folder).is_dir())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_found_and_folders_are_not_programs() {
        assert!(find_program("sh", None).unwrap().is_absolute());
        assert_eq!(find_program("src", Some(&root().join("xtask"))), None);
        assert_eq!(
            find_program("main.rs", Some(&root().join("xtask/src"))),
            None
        );
    }

    #[test]
    fn cargo_sees_nothing_of_the_package_that_calls_it() {
        let command = cargo(&["test"]);
        let changes: Vec<_> = command.get_envs().collect();
        // Set by cargo for a test, as it is for `cargo xtask`.
        assert!(changes.contains(&("CARGO_MANIFEST_DIR".as_ref(), None)));
        assert!(changes.contains(&("CARGO_PKG_NAME".as_ref(), None)));
        assert!(!changes.iter().any(|(name, _)| *name == "CARGO"));
    }

    #[test]
    fn the_root_holds_the_workspace() {
        assert!(
            std::fs::read_to_string(root().join("Cargo.toml"))
                .unwrap()
                .contains("[workspace]")
        );
    }
}
