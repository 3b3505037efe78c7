//! Credentials of this process, which an engine does not inherit.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::process::Command;

/// How the names of variables begin that hold credentials of AWS or say where to fetch them: a container's
/// `AWS_CONTAINER_CREDENTIALS_RELATIVE_URI` leads to those of the task's role
/// (<https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html>).
const CREDENTIALS: [&str; 2] = ["AWS_", "ECS_"];

/// Whether a variable of this name holds credentials of AWS, or says where to fetch them.
pub fn is_credential(name: &OsStr) -> bool {
    let name = name.as_encoded_bytes();
    CREDENTIALS.iter().any(|start| {
        name.get(..start.len())
            .is_some_and(|own| own.eq_ignore_ascii_case(start.as_bytes()))
    })
}

/// Keeps this process's credentials from a command that runs somebody's script. What a definition hands to the script by name, as a
/// parameter, is not inherited and stays.
pub fn remove_credentials(command: &mut Command) {
    let given: HashSet<_> = command
        .get_envs()
        .map(|(name, _)| name.to_owned())
        .collect();
    for (name, _) in std::env::vars_os() {
        if is_credential(&name) && !given.contains(&name) {
            command.env_remove(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_and_the_way_to_them_are_withheld_and_nothing_else() {
        for name in [
            "AWS_ACCESS_KEY_ID",
            "AWS_SESSION_TOKEN",
            "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
            "AWS_WEB_IDENTITY_TOKEN_FILE",
            "ECS_CONTAINER_METADATA_URI_V4",
            "aws_secret_access_key",
        ] {
            assert!(is_credential(OsStr::new(name)), "{name}");
        }
        for name in ["PATH", "K6_VUS", "MY_AWS_KEY", "AWS", "JAVA_HOME"] {
            assert!(!is_credential(OsStr::new(name)), "{name}");
        }
    }
}
