//! Which programs are on this machine, and which version of each.

use crate::call::call;
use crate::error::LaunchError;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

/// How long a JVM may take to say its version.
const PATIENCE: Duration = Duration::from_secs(20);

/// A program that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installed {
    /// As it says it, such as `2.2.0`.
    pub version: String,
    /// The program, or the folder that it lies in.
    pub at: PathBuf,
}

/// A program of the path.
pub(crate) fn on_path(program: &str) -> Option<PathBuf> {
    found(program, None, &std::env::var_os("PATH").unwrap_or_default())
}

/// The program `java`: of `JAVA_HOME`, else of the path. `remedy` says what to do where there is none.
pub(crate) fn java(remedy: &str) -> Result<PathBuf, LaunchError> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    java_in(std::env::var_os("JAVA_HOME"), &path, remedy)
}

/// The same with the values of these variables.
pub(crate) fn java_in(
    home: Option<OsString>,
    path: &OsStr,
    remedy: &str,
) -> Result<PathBuf, LaunchError> {
    let home = home.map(|home| PathBuf::from(home).join("bin"));
    found("java", home, path).ok_or_else(|| LaunchError::NotFound {
        engine: "Java",
        remedy: remedy.to_owned(),
    })
}

fn found(program: &str, first: Option<PathBuf>, path: &OsStr) -> Option<PathBuf> {
    let folders = first.into_iter().chain(std::env::split_paths(path));
    folders
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
}

/// The Java that engines are run with here. `remedy` says what to do where there is none.
///
/// # Errors
/// [`LaunchError`] if there is none, or if it does not say its version.
pub(crate) fn installed_java(remedy: &str) -> Result<Installed, LaunchError> {
    let program = java(remedy)?;
    let mut command = Command::new(&program);
    command.arg("-version");
    let called = call(command, PATIENCE)?;
    let said = String::from_utf8_lossy(&called.stderr).into_owned();
    let version = called.code.filter(|code| *code == 0);
    let version = version.and_then(|_| java_version(&said));
    let unknown = || LaunchError::Version {
        engine: "Java",
        found: said.lines().next().unwrap_or("without a word").to_owned(),
        remedy: format!("{} -version should say it", program.display()),
    };
    Ok(Installed {
        version: version.ok_or_else(unknown)?,
        at: program,
    })
}

/// The version in `openjdk version "17.0.15" 2025-04-15`.
fn java_version(said: &str) -> Option<String> {
    let line = said.lines().find(|line| line.contains(" version \""))?;
    line.split('"').nth(1).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::java_version;

    #[test]
    fn javas_version_is_between_quotation_marks() {
        let said = "Picked up JAVA_TOOL_OPTIONS: -Xmx1g\nopenjdk version \"17.0.15\" 2025-04-15\nOpenJDK Runtime";
        assert_eq!(java_version(said).as_deref(), Some("17.0.15"));
        assert_eq!(
            java_version("java version \"1.8.0_402\"").as_deref(),
            Some("1.8.0_402")
        );
        assert_eq!(java_version("Error: no JVM"), None);
    }
}
