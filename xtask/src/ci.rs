//! `cargo xtask ci`: everything that must hold before a change is merged.

use crate::steps::Steps;
use crate::{repo, terraform, test};
use anyhow::Result;

/// Arguments of `cargo xtask ci`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Leave out the tests, for whoever runs `cargo xtask test` beside it
    #[arg(long)]
    no_tests: bool,
}

/// Runs every check, the later ones also when an earlier one fails.
///
/// # Errors
/// If one has failed.
pub(crate) fn run(options: &Options) -> Result<()> {
    let mut steps = Steps::default();
    steps.run("format", &mut repo::cargo(&["fmt", "--all", "--check"]));
    let clippy = [
        "clippy",
        "--workspace",
        "--all-targets",
        "--locked",
        "--",
        "-D",
        "warnings",
    ];
    steps.run("clippy", &mut repo::cargo(&clippy));
    let doc = ["doc", "--workspace", "--no-deps", "--locked"];
    steps.run(
        "rustdoc",
        repo::cargo(&doc).env("RUSTDOCFLAGS", "-D warnings"),
    );
    if options.no_tests {
        steps.leave_out("tests", "--no-tests");
    } else {
        test::add_all(&mut steps);
    }
    benches(&mut steps);
    fuzz(&mut steps);
    terraform::add_all(&mut steps)?;
    steps.finish()
}

/// Every benchmark once, for being runnable: without `--bench` divan measures nothing.
fn benches(steps: &mut Steps) {
    if repo::any_package_has("benches") {
        steps.run(
            "benches, once each",
            &mut repo::cargo(&["test", "--workspace", "--locked", "--bench", "*"]),
        );
    } else {
        steps.leave_out("benches, once each", "no package has any");
    }
}

/// The fuzz targets are a workspace of their own, with a lock file of its own; `fuzz/README.md` says how to run them.
fn fuzz(steps: &mut Steps) {
    if repo::root().join("fuzz/Cargo.toml").exists() {
        steps.run(
            "fuzz targets compile",
            &mut repo::cargo(&["check", "--manifest-path", "fuzz/Cargo.toml", "--locked"]),
        );
    } else {
        steps.leave_out("fuzz targets compile", "there is no fuzz/Cargo.toml");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A dependency that a crate gets is missing in the lock file that nobody looks at until the checks run.
    #[test]
    fn the_fuzz_targets_have_a_lock_file_that_is_current() {
        let manifest = ["--manifest-path", "fuzz/Cargo.toml", "--locked"];
        let mut metadata = repo::cargo(&["metadata", "--format-version", "1"]);
        let output = metadata.args(manifest).output().expect("cargo runs");
        assert!(
            output.status.success(),
            "run `cargo update -w --manifest-path fuzz/Cargo.toml`: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}
