//! Programs from Maven Central, and the JDK that they need.

use crate::repo;
use anyhow::{Context as _, Result, ensure};
use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// Sees that a program of the JDK or Maven is there, and installs both on a Debian machine where we are root.
///
/// # Errors
/// What is missing, with the remedy.
pub(crate) fn need(program: &str) -> Result<(), String> {
    if repo::find_program(program, None).is_some() {
        return Ok(());
    }
    let missing = format!(
        "{program} is not on the path: install a JDK and Maven (Debian: default-jdk-headless maven)"
    );
    if !rustix::process::getuid().is_root() || repo::find_program("apt-get", None).is_none() {
        return Err(missing);
    }
    for arguments in [
        &["update", "-qq"][..],
        &[
            "install",
            "-y",
            "-qq",
            "--no-install-recommends",
            "default-jdk-headless",
            "maven",
        ],
    ] {
        let mut command = Command::new("apt-get");
        command
            .args(arguments)
            .env("DEBIAN_FRONTEND", "noninteractive");
        quietly(&mut command).map_err(|error| format!("{missing}; {error:#}"))?;
    }
    Ok(())
}

/// Has Maven copy artifacts (group, name, version) and what they need into `folder/lib`.
///
/// # Errors
/// If the folder cannot be written, or Maven fails.
pub(crate) fn fetch(artifacts: &[[&str; 3]], folder: &Path) -> Result<()> {
    let lib = folder.join("lib");
    let _ = fs::remove_dir_all(&lib);
    fs::create_dir_all(&lib)?;
    let pom = folder.join("pom.xml");
    let dependency = |[group, artifact, version]: &[&str; 3]| {
        format!(
            "<dependency><groupId>{group}</groupId><artifactId>{artifact}</artifactId><version>{version}</version></dependency>"
        )
    };
    let dependencies: String = artifacts.iter().map(dependency).collect();
    fs::write(
        &pom,
        format!(
            r#"<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>floodgate</groupId><artifactId>programs</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>{dependencies}</dependencies>
</project>
"#
        ),
    )?;
    let mut mvn = Command::new("mvn");
    mvn.args(["-q", "-B", "-f"]).arg(&pom);
    mvn.args(["dependency:copy-dependencies", "-DincludeScope=runtime"]);
    mvn.arg(format!("-DoutputDirectory={}", lib.display()));
    quietly(&mut mvn)
}

/// Runs a command.
///
/// # Errors
/// If it fails: its last lines.
pub(crate) fn quietly(command: &mut Command) -> Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("start {program}"))?;
    let mut said = String::new();
    if let Some(mut stderr) = child.stderr.take() {
        stderr.read_to_string(&mut said)?;
    }
    let status = child.wait()?;
    let lines: Vec<&str> = said.lines().rev().take(5).collect();
    let last: Vec<&str> = lines.into_iter().rev().collect();
    ensure!(
        status.success(),
        "{program}: {status}: {}",
        last.join(" / ")
    );
    Ok(())
}
