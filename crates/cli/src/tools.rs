//! Programs of others that bring a stack into an account: whether they are here, and of a version that will do.

use serde_json::Value;
use std::io::ErrorKind;
use std::process::{Command, Stdio};

/// The oldest Terraform that the modules are for (`terraform/versions.tf`).
const TERRAFORM: (u64, u64) = (1, 9);

/// A program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tool {
    /// HashiCorp's.
    Terraform,
    /// Docker's client with an engine that answers.
    Docker,
}

/// Why it cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ToolError {
    /// It is not here.
    #[error("{name} is not installed: {remedy}")]
    Missing {
        /// The program.
        name: &'static str,
        /// Where to get it.
        remedy: &'static str,
    },
    /// It is, and it will not do.
    #[error("{name}: {problem}; {remedy}")]
    Unusable {
        /// The program.
        name: &'static str,
        /// What is wrong.
        problem: String,
        /// What to do about it.
        remedy: String,
    },
}

impl Tool {
    /// As it is called.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Terraform => "terraform",
            Self::Docker => "docker",
        }
    }

    const fn remedy(self) -> &'static str {
        match self {
            Self::Terraform => {
                "install Terraform 1.9 or later (https://developer.hashicorp.com/terraform/install)"
            }
            Self::Docker => {
                "install Docker (https://docs.docker.com/engine/install/), which images are pushed with"
            }
        }
    }

    const fn arguments(self) -> &'static [&'static str] {
        match self {
            Self::Terraform => &["version", "-json"],
            Self::Docker => &["version", "--format", "{{.Server.Version}}"],
        }
    }
}

/// The version of a program that can be used.
///
/// # Errors
/// What is missing, with its remedy.
pub(crate) fn find(tool: Tool) -> Result<String, ToolError> {
    let name = tool.name();
    let mut command = Command::new(name);
    command
        .args(tool.arguments())
        .env("CHECKPOINT_DISABLE", "1")
        .stdin(Stdio::null());
    let output = command.output().map_err(|error| match error.kind() {
        ErrorKind::NotFound => ToolError::Missing {
            name,
            remedy: tool.remedy(),
        },
        _ => unusable(tool, format!("cannot be started ({error})")),
    })?;
    let said = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        let complaint = String::from_utf8_lossy(&output.stderr);
        let line = complaint.lines().next().unwrap_or_default().trim();
        return Err(unusable(tool, line.to_owned()));
    }
    match tool {
        Tool::Terraform => terraform(&said),
        Tool::Docker => Ok(said.trim().to_owned()),
    }
}

fn unusable(tool: Tool, problem: String) -> ToolError {
    let remedy = match tool {
        Tool::Terraform => tool.remedy().to_owned(),
        Tool::Docker => {
            "start the engine, or let this user reach it (group docker, DOCKER_HOST)".to_owned()
        }
    };
    ToolError::Unusable {
        name: tool.name(),
        problem,
        remedy,
    }
}

/// The version in what `terraform version -json` prints.
fn terraform(said: &str) -> Result<String, ToolError> {
    let value: Value = serde_json::from_str(said).unwrap_or_default();
    let version = value["terraform_version"].as_str().unwrap_or_default();
    let mut numbers = version.split('.').map(str::parse::<u64>);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(major)), Some(Ok(minor))) if (major, minor) >= TERRAFORM => Ok(version.to_owned()),
        (Some(Ok(_)), Some(Ok(_))) => Err(unusable(
            Tool::Terraform,
            format!("version {version} is too old"),
        )),
        _ => Err(unusable(
            Tool::Terraform,
            "does not say which version it is".to_owned(),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terraform_has_to_be_new_enough() {
        let of = |version: &str| terraform(&format!("{{\"terraform_version\": \"{version}\"}}"));
        assert_eq!(of("1.11.4"), Ok("1.11.4".to_owned()));
        assert_eq!(of("1.9.0"), Ok("1.9.0".to_owned()));
        assert_eq!(of("2.0.0-beta1"), Ok("2.0.0-beta1".to_owned()));
        let old = of("1.5.7").map_err(|error| error.to_string());
        let old = old.err().unwrap_or_default();
        assert!(
            old.contains("1.5.7 is too old; install Terraform 1.9"),
            "{old}"
        );
        assert!(terraform("Terraform v0.11").is_err());
    }
}
