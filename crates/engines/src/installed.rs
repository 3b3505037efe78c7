//! Which engines are on this machine, and which version of each.

use crate::call::call;
use crate::launch::LaunchError;
use crate::{gatling, jmeter, k6};
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

/// The k6 that scripts are run with here.
///
/// # Errors
/// As for [`k6::Tool::find`].
pub fn k6() -> Result<Installed, LaunchError> {
    let tool = k6::Tool::find(None)?;
    Ok(Installed {
        version: tool.text,
        at: tool.program,
    })
}

/// The JMeter that plans are run with here.
///
/// # Errors
/// [`LaunchError`] if there is none, or if it does not say which it is.
pub fn jmeter() -> Result<Installed, LaunchError> {
    jmeter::installed()
}

/// The Gatling that simulations without one of their own are run with here.
///
/// # Errors
/// [`LaunchError`] if there is none, or one that is not known here.
pub fn gatling() -> Result<Installed, LaunchError> {
    gatling::installed()
}

/// The Java that JMeter and Gatling are run with here.
///
/// # Errors
/// [`LaunchError`] if there is none, or if it does not say its version.
pub fn java() -> Result<Installed, LaunchError> {
    let program = jmeter::java()?;
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
