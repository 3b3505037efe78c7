//! The recipes for pipelines, and the action: checked by the tools that know their formats. What they run is run by the tests.
//!
//! The tools lie in the user's cache: actionlint is built from the Go proxy, check-jsonschema comes from PyPI.

use crate::steps::Steps;
use crate::{python, repo};
use anyhow::Result;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Arguments of `cargo xtask recipes`.
#[derive(clap::Args)]
pub(crate) struct Options {}

const ACTIONLINT: &str = "github.com/rhysd/actionlint/cmd/actionlint@v1.7.12";
const SCHEMAS: &str = "check-jsonschema==0.39.0";

/// Each file, and the schema that the tool has of its kind.
const FILES: [(&str, &str); 5] = [
    ("action.yml", "github-actions"),
    ("recipes/github/floodgate.yml", "github-workflows"),
    ("recipes/gitlab/.gitlab-ci.yml", "gitlab-ci"),
    ("recipes/azure/azure-pipelines.yml", "azure-pipelines"),
    ("recipes/circleci/config.yml", "circle-ci"),
];

/// Runs it.
///
/// # Errors
/// If a file is not as its format wants it.
pub(crate) fn run(_: &Options) -> Result<()> {
    let mut steps = Steps::default();
    test(&mut steps);
    steps.finish()
}

/// The same as steps of something greater; those whose tools cannot be had are left out.
pub(crate) fn test(steps: &mut Steps) {
    match actionlint() {
        Ok(program) => {
            let mut lint = Command::new(program);
            lint.current_dir(repo::root());
            let workflows = [".github/workflows/ci.yml", ".github/workflows/release.yml"];
            lint.args(workflows).arg("recipes/github/floodgate.yml");
            steps.run("actionlint", &mut lint);
        }
        Err(why) => steps.leave_out("actionlint", why),
    }
    match check_jsonschema() {
        Ok(python) => {
            for (file, schema) in FILES {
                let mut check = Command::new(&python);
                check.current_dir(repo::root());
                check.args(["-m", "check_jsonschema", "--builtin-schema"]);
                check.arg(format!("vendor.{schema}")).arg(file);
                if schema == "azure-pipelines" {
                    // Its patterns are not those of Unicode, and it is about what is left once expressions are gone.
                    check.args(["--regex-variant", "nonunicode", "--data-transform", schema]);
                }
                steps.run(&format!("schema of {file}"), &mut check);
            }
        }
        Err(why) => steps.leave_out("schemas of recipes", why),
    }
}

fn check_jsonschema() -> Result<PathBuf, String> {
    let base = python::find(|minor| minor >= 10).ok_or("there is no Python 3.10 or newer")?;
    python::environment(&SCHEMAS.replace("==", "-"), &base, &[SCHEMAS])
}

/// actionlint's program, built if need be.
fn actionlint() -> Result<PathBuf, String> {
    let cache = repo::cache_dir().ok_or("there is neither XDG_CACHE_HOME nor HOME")?;
    let (_, version) = ACTIONLINT.split_once('@').unwrap_or_default();
    let folder = cache.join(format!("actionlint-{version}"));
    let program = folder.join("actionlint");
    if program.exists() {
        return Ok(program);
    }
    let installed = repo::find_program("go", Some(Path::new("/usr/local/go/bin")));
    let go = installed.ok_or("there is no go to build it with")?;
    let built = Command::new(go)
        .args(["install", ACTIONLINT])
        .env("GOBIN", &folder)
        .env("GOFLAGS", "")
        .output();
    match built {
        Ok(built) if built.status.success() => Ok(program),
        Ok(built) => Err(String::from_utf8_lossy(&built.stderr).trim().to_owned()),
        Err(error) => Err(error.to_string()),
    }
}
