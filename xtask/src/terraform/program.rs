//! Terraform, called for the checks.

use super::provider;
use crate::repo;
use crate::steps::Steps;
use anyhow::Result;
use std::path::PathBuf;
use std::process::Command;

/// Terraform with what the checks give it.
pub(super) struct Terraform {
    pub(super) program: PathBuf,
    /// Where providers, modules and states of the checks lie.
    pub(super) data: PathBuf,
    /// Terraform's configuration, if the provider of the cache is to be used.
    pub(super) configuration: Option<PathBuf>,
}

impl Terraform {
    /// The program, and what belongs to it; `None` without one.
    pub(super) fn find() -> Result<Option<Self>> {
        let Some(program) = repo::find_program("terraform", None) else {
            return Ok(None);
        };
        Ok(Some(Self {
            program,
            data: repo::target_dir()?.join("terraform"),
            configuration: provider::configuration()?,
        }))
    }

    /// A command in a folder below `terraform/`, with a data folder of its own.
    pub(super) fn command(&self, name: &str, folder: &str) -> Command {
        let mut command = Command::new(&self.program);
        command
            .current_dir(repo::root().join("terraform").join(folder))
            .env("TF_DATA_DIR", self.data.join(name.replace('/', "-")))
            .env("TF_IN_AUTOMATION", "1")
            .env("CHECKPOINT_DISABLE", "1");
        match &self.configuration {
            Some(file) => command.env("TF_CLI_CONFIG_FILE", file),
            None => &mut command,
        };
        command
    }

    pub(super) fn init(&self, steps: &mut Steps, name: &str, folder: &str) -> bool {
        let title = format!("terraform init {name}");
        steps.run(&title, &mut self.init_command(name, folder))
    }

    pub(super) fn init_command(&self, name: &str, folder: &str) -> Command {
        let mut command = self.command(name, folder);
        command.args([
            "init",
            "-backend=false",
            "-input=false",
            "-no-color",
            "-upgrade",
        ]);
        command
    }
}
