//! Images on their way into the stack's repositories, through Docker.

use super::artefacts::{ImageSource, check_sum};
use super::settings::Settings;
use super::shell::Shell;
use crate::error::{CliError, Result};
use floodgate_store::aws::call::Calls;
use floodgate_store::aws::ecr::{self, Login};
use serde_json::json;
use std::path::Path;
use tokio::process::Command;

/// What is pushed, and where to.
pub(super) struct Push<'a> {
    pub(super) engine: &'a str,
    /// As tasks pull it.
    pub(super) name: &'a str,
    pub(super) source: &'a ImageSource,
    pub(super) settings: &'a Settings,
}

/// Takes, loads or builds the image, and pushes it with the repository's own login.
///
/// # Errors
/// What Docker or ECR says, and an image for another processor.
pub(super) async fn push(push: &Push<'_>, calls: &Calls, shell: &mut Shell) -> Result<()> {
    let local = get(push, shell).await?;
    is_for(&local, push.settings, shell).await?;
    let login = ecr::login(calls).await;
    let login =
        login.map_err(|error| CliError::run("log in to ECR (ecr:GetAuthorizationToken)", error))?;
    let to = destination(push.name, calls.endpoint());
    // The engine pushes what has the registry's name; the name that tasks use stays as well, by which an emulator finds it.
    for name in [push.name, &to] {
        shell.finish(docker(&["tag", &local, name]), None).await?;
    }
    let registry = to.split('/').next().unwrap_or_default();
    // The login lies in a folder of its own, and goes with it: in the user's it would stay for hours, and replace theirs.
    let folder =
        tempfile::tempdir().map_err(|error| CliError::write(std::env::temp_dir(), error))?;
    let host = engine(shell).await?;
    let with_login = |arguments: &[&str]| {
        let mut command = docker(arguments);
        command.env("DOCKER_CONFIG", folder.path());
        if let Some(host) = &host {
            command.env("DOCKER_HOST", host);
        }
        command
    };
    let Login { user, password, .. } = &login;
    let arguments = ["login", "--username", user, "--password-stdin", registry];
    shell.finish(with_login(&arguments), Some(password)).await?;
    shell
        .finish(with_login(&["push", "--quiet", &to]), None)
        .await
        .map(drop)
}

/// The image in the Docker engine, by its name there.
async fn get(push: &Push<'_>, shell: &mut Shell) -> Result<String> {
    match push.source {
        ImageSource::Local(name) => Ok(name.clone()),
        ImageSource::Archive(file) => load(file, shell).await,
        ImageSource::Build(clone) => {
            let tag = format!("floodgate-generator-{}:{}", push.engine, push.settings.tag);
            let mut command = Command::new("cargo");
            command
                .args([
                    "xtask",
                    "image",
                    "--engine",
                    push.engine,
                    "--tag",
                    &tag,
                    "--arch",
                ])
                .arg(push.settings.architecture.of_docker())
                .current_dir(clone);
            shell.finish(command, None).await?;
            Ok(tag)
        }
    }
}

async fn load(file: &Path, shell: &mut Shell) -> Result<String> {
    check_sum(file)?;
    let path = file.to_string_lossy();
    let loaded = shell
        .finish(docker(&["load", "--quiet", "--input", &path]), None)
        .await?;
    // `Loaded image: NAME`, or `Loaded image ID: sha256:…` of one without a name.
    let name = loaded.stdout.lines().find_map(|line| {
        let (_, name) = line.strip_prefix("Loaded image")?.split_once(": ")?;
        Some(name.trim().to_owned())
    });
    name.ok_or_else(|| CliError::run("docker load", format!("{path} has no image in it")))
}

/// Tasks could not start an image for another processor.
async fn is_for(local: &str, settings: &Settings, shell: &mut Shell) -> Result<()> {
    let arguments = ["image", "inspect", "--format", "{{.Architecture}}", local];
    let inspected = shell.finish(docker(&arguments), None).await?;
    let (found, wanted) = (inspected.stdout.trim(), settings.architecture.of_docker());
    match found == wanted {
        true => Ok(()),
        false => Err(CliError::usage(format!(
            "image {local} was built for {found}, but the tasks of this stack use {wanted}: rebuild it, or pass --arch"
        ))),
    }
}

/// Where the engine pushes to: an emulator has the registry of ECR at its own address.
fn destination(name: &str, endpoint: Option<&str>) -> String {
    let address = endpoint.and_then(|url| url.split("://").nth(1));
    match (address, name.split_once('/')) {
        (Some(address), Some((_, path))) => format!("{}/{path}", address.trim_end_matches('/')),
        _ => name.to_owned(),
    }
}

/// Where the engine listens that the user's configuration leads to; `None` if the environment says it already.
async fn engine(shell: &mut Shell) -> Result<Option<String>> {
    if std::env::var_os("DOCKER_HOST").is_some() {
        return Ok(None);
    }
    let arguments = [
        "context",
        "inspect",
        "--format",
        "{{.Endpoints.docker.Host}}",
    ];
    let inspected = shell.finish(docker(&arguments), None).await?;
    let host = inspected.stdout.trim();
    Ok((!host.is_empty()).then(|| host.to_owned()))
}

fn docker(arguments: &[&str]) -> Command {
    let mut command = Command::new("docker");
    command.args(arguments);
    command
}

/// Whether an engine's image is in its repository, for the stack's processor.
///
/// # Errors
/// If ECR does not say.
pub(super) async fn is_there(name: &str, settings: &Settings, calls: &Calls) -> Result<bool> {
    let Some(parsed) = ecr::ImageName::parse(name) else {
        return Err(CliError::run(name, "is not an image in ECR"));
    };
    let found = ecr::find(calls, &parsed).await;
    let found = found
        .map_err(|error| CliError::run(format!("look for {name} (ecr:BatchGetImage)"), error))?;
    let Some(image) = found else {
        return Ok(false);
    };
    let wanted = settings.architecture.of_docker();
    match image.architectures.iter().any(|found| found == wanted) {
        true => Ok(true),
        false => Err(CliError::usage(format!(
            "image {name} exists and was built for {}, but the tasks of this stack use {wanted}; tags can't be overwritten: pass another --tag",
            json!(image.architectures)
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::destination;

    #[test]
    fn an_emulator_has_the_registry_itself() {
        let name = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/floodgate/generator-http:1";
        assert_eq!(destination(name, None), name);
        assert_eq!(
            destination(name, Some("http://127.0.0.1:4566")),
            "127.0.0.1:4566/floodgate/generator-http:1"
        );
    }
}
