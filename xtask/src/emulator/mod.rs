//! The cloud on this machine: emulators, a Docker engine, and one stack deployed onto them.

mod deployed;
pub(crate) mod docker;
mod gateway;
pub(crate) mod localstack;
mod ministack;
pub(crate) mod permissions;
mod rendering;
mod server;

use crate::{package, repo};
use anyhow::{Context as _, Result, ensure};
use deployed::ByCommand;
use docker::Docker;
use gateway::Gateway;
use ministack::Ministack;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// The variable that tells tests, and whoever else asks, where the deployed stack is: the path of a JSON file.
pub(crate) const VARIABLE: &str = "FLOODGATE_EMULATOR";
/// The variable that tells tests where LocalStack is: a URL.
pub(crate) const LOCALSTACK: &str = "FLOODGATE_LOCALSTACK";
/// Roles of the emulated stack that may call its API.
const CALLERS: [&str; 3] = ["api-tester", "api-lead", "api-stranger"];
/// A secret of the tests' project in the emulated stack.
const SECRET: &str = "cloud/token=open sesame";
/// The image of the generator that the emulated stack runs.
const IMAGE: &str = "floodgate-generator:dev";

/// A deployed stack. Dropping it takes everything down.
pub(crate) struct Cloud {
    // Dropped in this order: containers need the engine to be removed.
    ministack: Ministack,
    docker: Docker,
    description: PathBuf,
    /// What has to be destroyed before the end.
    applied: Option<ByCommand>,
    /// How many of those that run scripts have an image.
    engines: usize,
    /// The stack's names and ARNs, as `deploy.py` gives them.
    pub(crate) stack: Value,
}

impl Cloud {
    /// Brings everything up, saying what it does.
    ///
    /// # Errors
    /// What could not be had, in a sentence.
    pub(crate) fn start(programs: Programs, by: Deployed) -> Result<Self> {
        let docker = part("docker engine", || Ok(Docker::set_up().map_err(Missing)?))?;
        eprintln!("   docker engine: {}", docker.origin());
        let python = part("MiniStack (Python packages)", || {
            Ok(ministack::set_up().map_err(Missing)?)
        })?;
        let built = part("functions, gateway", || programs.build())?;
        let (bootstrap, api) = (
            built.join("floodgate-functions"),
            built.join("floodgate-api"),
        );
        let gateway = built.join("floodgate-gateway");
        part("generator image", || build_image("http", IMAGE))?;
        let scripts = match (programs, by) {
            (Programs::Tested, Deployed::ByScript) => script_images(),
            _ => Vec::new(),
        };
        let ministack = part("MiniStack (start)", || Ministack::start(&python, &gateway))?;
        let description = ministack.folder()?.join("stack.json");
        let (stack, applied) = part("stack", || match by {
            Deployed::ByScript => {
                let stack = deploy(&ministack, [&bootstrap, &api, &gateway], &scripts)?;
                Ok((stack, None))
            }
            Deployed::ByCommand => {
                let (stack, applied) = by_command(&ministack, &bootstrap)?;
                Ok((stack, Some(applied)))
            }
        })?;
        let all = json!({
            "stack": stack,
            "python": python,
            "deploy": repo::root().join("infra/emulator/deploy.py"),
            "bootstrap": bootstrap,
            "gateway": gateway,
            "image": IMAGE,
            "engines": scripts,
        });
        std::fs::write(&description, serde_json::to_string_pretty(&all)?)
            .with_context(|| format!("write {}", description.display()))?;
        Ok(Self {
            ministack,
            docker,
            description,
            applied,
            engines: scripts.len(),
            stack,
        })
    }

    /// The file that [`VARIABLE`] names.
    pub(crate) fn description(&self) -> &Path {
        &self.description
    }

    /// Where every service listens.
    pub(crate) fn url(&self) -> String {
        self.ministack.url()
    }

    /// Who starts runs of a project: the access key that stands for its policy.
    pub(crate) fn runner(&self, project: &str) -> String {
        let of = |name: &str| self.stack[name].as_str().unwrap_or_default().to_owned();
        let named = self.stack["state_machines"].get(project).is_some();
        let project = if named { project } else { "all" };
        format!("{}-{}-runner-{project}", of("name"), of("region"))
    }

    /// What enforces the policies.
    pub(crate) fn gateway(&self) -> &Gateway {
        self.ministack.gateway()
    }

    /// Whether every engine's image could be had, so that every test of it has run.
    pub(crate) fn has_all_engines(&self) -> bool {
        self.engines == SCRIPTED.len()
    }

    /// Runs `infra/emulator/deploy.py` with these arguments: what it prints.
    ///
    /// # Errors
    /// What it complains of.
    pub(crate) fn deploy(&self, arguments: &[&str]) -> Result<String> {
        self.ministack.deploy(arguments)
    }

    /// Whether a second deployment would change nothing more.
    ///
    /// # Errors
    /// If it would, with its plan.
    pub(crate) fn is_settled(&self) -> Result<()> {
        self.applied.as_ref().map_or(Ok(()), |applied| {
            part("floodgate deploy again: nothing to do; doctor", || {
                applied.is_settled()
            })
        })
    }

    /// Destroys what was deployed by command. Nothing for a stack by the script, which ends with the emulator.
    ///
    /// # Errors
    /// If something cannot be destroyed.
    pub(crate) fn destroy(&mut self) -> Result<()> {
        match self.applied.take() {
            Some(applied) => part("floodgate destroy", || applied.destroy()),
            None => Ok(()),
        }
    }

    /// Keeps what a failure leaves for whoever looks into it.
    pub(crate) fn keep_logs(&self) {
        let kept = repo::target_dir().and_then(|target| {
            let file = target.join("cloud.log");
            std::fs::write(&file, self.deploy(&["logs"])?)?;
            Ok(file)
        });
        match kept {
            Ok(file) => eprintln!("what functions and generators said: {}", file.display()),
            Err(why) => eprintln!("the logs of functions and generators are lost: {why:#}"),
        }
    }

    /// Takes everything down.
    ///
    /// # Errors
    /// If something was left behind, which is then removed.
    pub(crate) fn stop(self) -> Result<()> {
        self.ministack.stop()?;
        drop(self.docker);
        Ok(())
    }
}

/// Something that this machine does not have, and that is not a fault of the repository.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Missing(pub(crate) String);

/// Who puts the stack onto the emulator.
#[derive(Clone, Copy)]
pub(crate) enum Deployed {
    /// `infra/emulator/deploy.py`.
    ByScript,
    /// `floodgate deploy`, with Terraform.
    ByCommand,
}

/// Does one thing, and says how long it took.
fn part<T>(name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let start = Instant::now();
    let done = work().with_context(|| name.to_owned())?;
    eprintln!("   {name}: {:.1} s", start.elapsed().as_secs_f64());
    Ok(done)
}

/// How the programs of this repository are built that run there: `cargo build` and `cargo test` of the workspace do not
/// share what they compile.
#[derive(Clone, Copy)]
pub(crate) enum Programs {
    /// As a user builds them.
    Built,
    /// As the tests have built them.
    Tested,
}

impl Programs {
    /// Builds what is missing; the folder of programs.
    fn build(self) -> Result<PathBuf> {
        match self {
            Self::Built => run(&[
                "build",
                "--locked",
                "-p",
                "floodgate-functions",
                "-p",
                "floodgate-gateway",
                "-p",
                "floodgate",
                "-p",
                "floodgate-testserver",
            ])?,
            Self::Tested => run(&["test", "--locked", "--workspace", "--no-run", "--quiet"])?,
        }
        Ok(repo::target_dir()?.join("debug"))
    }
}

fn build_image(engine: &str, tag: &str) -> Result<()> {
    run(&[
        "xtask",
        "image",
        "--profile",
        "dev",
        "--engine",
        engine,
        "--tag",
        tag,
    ])
}

/// The engines that run scripts.
const SCRIPTED: [&str; 3] = ["k6", "jmeter", "gatling"];

/// The images of the engines that run scripts, as far as they can be had: `ENGINE=IMAGE`.
fn script_images() -> Vec<String> {
    let mut images = Vec::new();
    for engine in SCRIPTED {
        let tag = format!("floodgate-generator-{engine}:dev");
        match part(&format!("image of {engine}"), || build_image(engine, &tag)) {
            Ok(()) => images.push(format!("{engine}={tag}")),
            Err(error) => eprintln!("   left out: the image of {engine}: {error:#}"),
        }
    }
    images
}

fn run(arguments: &[&str]) -> Result<()> {
    let status = repo::cargo(arguments).status().context("run cargo")?;
    ensure!(status.success(), "cargo {}: {status}", arguments.join(" "));
    Ok(())
}

/// Deploys as a user does: the stack under the names of `deploy.py`.
fn by_command(ministack: &Ministack, bootstrap: &Path) -> Result<(Value, ByCommand)> {
    let folder = ministack.folder()?;
    let package = folder.join("functions.zip");
    package::pack_quickly(bootstrap, &package)?;
    let (region, what) = (ministack::REGION, (&*package, IMAGE));
    let applied = ByCommand::deploy(folder, ministack.url(), region, what, ministack.python())?;
    let of = applied.connection()?;
    let stack = json!({
        "name": of["stack"],
        "region": of["region"],
        "state_machines": of["state_machine_arns"],
        "bucket": of["bucket"],
        "table": of["table"],
        "out": applied.out(),
    });
    Ok((stack, applied))
}

fn deploy(
    ministack: &Ministack,
    [bootstrap, api, gateway]: [&Path; 3],
    engines: &[String],
) -> Result<Value> {
    let text = |path: &'_ Path| {
        path.to_str()
            .map(str::to_owned)
            .context("a path that is not UTF-8")
    };
    let (bootstrap, api, gateway) = (text(bootstrap)?, text(api)?, text(gateway)?);
    let mut arguments = vec!["up", "--bootstrap", &bootstrap, "--gateway", &gateway];
    arguments.extend(["--image", IMAGE, "--secret", SECRET]);
    arguments.extend(["--api-bootstrap", &api]);
    for caller in CALLERS {
        arguments.extend(["--api-caller", caller]);
    }
    for engine in engines {
        arguments.extend(["--engine", engine]);
    }
    let said = ministack.deploy(&arguments)?;
    serde_json::from_str(&said).context("what infra/emulator/deploy.py prints")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Only what the machine lacks is left out; a stack that does not come up has failed.
    #[test]
    fn what_is_missing_is_told_from_what_fails() {
        let missing = part::<()>("docker engine", || Err(Missing("no docker".into()).into()));
        let failed = part::<()>("stack", || Err(anyhow::anyhow!("no such table")));
        let is_missing = |outcome: Result<()>| outcome.err().map(|why| why.is::<Missing>());
        assert_eq!(is_missing(missing), Some(true));
        assert_eq!(is_missing(failed), Some(false));
    }
}
