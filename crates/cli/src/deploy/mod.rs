//! A stack from nothing, and back: the Terraform module that this program brings along, the functions, the images, the file that
//! `--cloud` reads. Every step can be taken again, and goes on where an earlier one was stopped.
//!
//! `plan`, `settings`, `changes`, `connection` and `idle` decide and look at nothing; `account` and `artefacts` find out; `terraform`, `images`
//! and `shell` do.

mod account;
mod artefacts;
mod changes;
mod connection;
mod destroy;
mod folder;
mod idle;
mod images;
mod plan;
mod settings;
mod shell;
mod terraform;

pub(crate) use destroy::{Destroy, destroy};
pub(crate) use settings::Architecture;

use crate::args::StackArgs;
use crate::cloud::CONNECTION;
use crate::error::{CliError, Result};
use crate::output::{say, say_led};
use crate::tools::{self, Tool};
use account::Account;
use artefacts::{Package, Places, check_sum};
use changes::Changes;
use floodgate_store::aws::call::Calls;
use images::Push;
use plan::{Facts, ImageFacts, Step, needs_docker, steps};
use serde_json::Value;
use settings::{ENGINES, Settings};
use shell::Shell;
use std::path::{Path, PathBuf};
use terraform::Terraform;
use tokio::process::Command;

/// What is to be deployed. What is not said stays as it was.
pub(crate) struct Deploy {
    pub(crate) stack: StackArgs,
    pub(crate) engines: Vec<String>,
    pub(crate) architecture: Option<Architecture>,
    pub(crate) functions: Option<PathBuf>,
    pub(crate) images: Vec<String>,
    pub(crate) artefacts: Option<PathBuf>,
    pub(crate) tag: Option<String>,
    pub(crate) var_files: Vec<PathBuf>,
    /// Show what would be done, and do nothing.
    pub(crate) dry_run: bool,
    /// Of executions, where the connection file lies.
    pub(crate) out: PathBuf,
}

/// One deployment on its way.
struct Deployment {
    account: Account,
    settings: Settings,
    places: Places,
    calls: Calls,
    facts: Facts,
    shell: Shell,
    dry_run: bool,
}

/// Deploys a stack, or brings it up to date.
///
/// # Errors
/// What is missing, before anything is done, and what a step refuses. The same again goes on from there.
pub(crate) async fn deploy(deploy: &Deploy) -> Result<()> {
    let account = Account::find(&deploy.stack, &deploy.out).await?;
    say_led("account", &account.shown());
    let (before, known) = account.settings()?;
    let settings = with_options(before, deploy)?;
    tools::find(Tool::Terraform).map_err(CliError::usage)?;
    let places = Places::of(
        deploy.functions.as_deref(),
        &deploy.images,
        deploy.artefacts.as_deref(),
    )?;
    let calls = Calls::new(&account.config);
    let facts = Facts {
        package: places.package(&settings)?,
        images: look(&account, &settings, &places, &calls).await?,
        folder: account.folder.path().to_owned(),
        connection: deploy.out.join(CONNECTION),
    };
    if needs_docker(&facts) {
        tools::find(Tool::Docker).map_err(CliError::usage)?;
    }
    account.folder.write(&settings, false)?;
    account.folder.take_over(&deploy.var_files)?;
    let mut deployment = Deployment {
        account,
        settings,
        places,
        calls,
        facts,
        shell: Shell::new()?,
        dry_run: deploy.dry_run,
    };
    if known {
        say_led(
            "before",
            "deployed from here; omitted options keep their values",
        );
    }
    deployment.go().await
}

/// What was known, and over it what is said.
fn with_options(before: Settings, deploy: &Deploy) -> Result<Settings> {
    let mut settings = before;
    if let Some(unknown) = deploy
        .engines
        .iter()
        .find(|name| !ENGINES.contains(&name.as_str()))
    {
        return Err(CliError::usage(format!(
            "--engine {unknown}: there are {}",
            ENGINES.join(", ")
        )));
    }
    if !deploy.engines.is_empty() {
        settings.engines = deploy.engines.iter().cloned().collect();
    }
    if let Some(architecture) = deploy.architecture {
        settings.architecture = architecture;
    }
    if let Some(tag) = &deploy.tag {
        settings.tag.clone_from(tag);
    }
    Ok(settings)
}

/// Which images are there, and where those come from that are not.
async fn look(
    account: &Account,
    settings: &Settings,
    places: &Places,
    calls: &Calls,
) -> Result<Vec<ImageFacts>> {
    let mut found = Vec::new();
    for engine in &settings.engines {
        let name = settings.image(&account.caller.account, engine);
        found.push(image(engine, &name, settings, places, calls).await?);
    }
    Ok(found)
}

async fn image(
    engine: &str,
    name: &str,
    settings: &Settings,
    places: &Places,
    calls: &Calls,
) -> Result<ImageFacts> {
    let source = match images::is_there(name, settings, calls).await? {
        true => None,
        false => Some(places.image(engine, settings)?),
    };
    Ok(ImageFacts {
        engine: engine.to_owned(),
        name: name.to_owned(),
        source,
    })
}

impl Deployment {
    async fn go(&mut self) -> Result<()> {
        let mut changes = Changes::default();
        for step in steps(&self.facts) {
            let (name, does) = step.shown(&self.facts, &self.settings);
            say_led(&name, &does);
            match step {
                Step::Functions(package) if !self.dry_run => self.functions(&package).await?,
                Step::Stack => changes = self.stack().await?,
                Step::Image {
                    engine,
                    name,
                    source,
                } if !self.dry_run => {
                    let push = Push {
                        engine: &engine,
                        name: &name,
                        source: &source,
                        settings: &self.settings,
                    };
                    images::push(&push, &self.calls, &mut self.shell).await?;
                }
                Step::Connection if !self.dry_run => self.connect().await?,
                Step::Functions(_)
                | Step::Image { .. }
                | Step::HasImage { .. }
                | Step::Connection => {}
            }
        }
        for line in idle::lines(&changes.after, &self.settings.region) {
            say_led("cost", &line);
        }
        if self.dry_run {
            say!("nothing was changed: this was a dry run");
        }
        Ok(())
    }

    async fn functions(&mut self, package: &Package) -> Result<()> {
        let file = match package {
            Package::File(file) => {
                check_sum(file)?;
                file.clone()
            }
            Package::Build(clone) => self.build(clone).await?,
        };
        self.account.folder.put_functions(&file)
    }

    /// The zip that a clone of the repository builds: `cargo xtask package` says first where it is.
    async fn build(&mut self, clone: &Path) -> Result<PathBuf> {
        let mut command = Command::new("cargo");
        command
            .args([
                "xtask",
                "package",
                "--arch",
                self.settings.architecture.name(),
            ])
            .current_dir(clone);
        let ended = self.shell.finish(command, None).await?;
        let first = ended.stdout.lines().next().unwrap_or_default();
        Ok(clone.join(first))
    }

    /// Plans, and applies unless this is a dry run.
    async fn stack(&mut self) -> Result<Changes> {
        if !self.dry_run {
            // From here on there may be something to destroy.
            self.account.folder.remember(&self.settings)?;
        }
        let mut terraform = Terraform {
            folder: &self.account.folder,
            shell: &mut self.shell,
        };
        terraform.init().await?;
        let lock = if self.dry_run {
            &["-lock=false"][..]
        } else {
            &[]
        };
        let changes = terraform.plan(lock).await?;
        say!("  {}", changes.shown());
        if !changes.lost.is_empty() {
            return Err(CliError::usage(format!(
                "the plan would remove {} with everything in it: undo what asks for that (name, region, bucket_name), or destroy the stack \
                 with floodgate destroy --delete-results first",
                changes.lost.join(", ")
            )));
        }
        if !self.dry_run && !changes.is_empty() {
            terraform.carry_out("stack", changes.all()).await?;
        }
        Ok(changes)
    }

    /// Images that variables of the user's ask for beside ours, then the file.
    async fn connect(&mut self) -> Result<()> {
        let mut terraform = Terraform {
            folder: &self.account.folder,
            shell: &mut self.shell,
        };
        let outputs = terraform.outputs().await?;
        self.other_images(&outputs).await?;
        let file = connection::file(&outputs, &self.settings);
        let file = file.ok_or_else(|| {
            CliError::run("read terraform output", "it names no bucket: deploy again")
        })?;
        let path = &self.facts.connection;
        let stack = (self.settings.stack.clone(), self.settings.region.clone());
        let before = std::fs::read_to_string(path)
            .ok()
            .and_then(|text| connection::about(&text));
        if let Some((name, region)) = before.filter(|before| *before != stack) {
            say!("  it was about stack {name} in {region} before");
        }
        folder::write_json(path, &file)?;
        say!("next: floodgate run FILE --cloud, or floodgate doctor --cloud");
        Ok(())
    }

    async fn other_images(&mut self, outputs: &Value) -> Result<()> {
        let listed = outputs["images"].as_object().into_iter().flatten();
        for (engine, name) in listed {
            let name = name.as_str().unwrap_or_default();
            if self.facts.images.iter().any(|known| known.name == name) {
                continue;
            }
            let found = image(engine, name, &self.settings, &self.places, &self.calls).await?;
            if let Some(source) = &found.source {
                say_led(
                    &format!("image of {engine}"),
                    &format!("{}, push it as {name}", source.shown()),
                );
                let push = Push {
                    engine,
                    name,
                    source,
                    settings: &self.settings,
                };
                images::push(&push, &self.calls, &mut self.shell).await?;
            }
        }
        Ok(())
    }
}
