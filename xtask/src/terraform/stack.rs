//! The example `emulator`, applied onto an emulator and taken away again.

use super::Terraform;
use crate::steps::Steps;
use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

const EXAMPLE: &str = "examples/emulator";

/// The stack at one endpoint.
pub(crate) struct Stack {
    pub(super) terraform: Terraform,
    /// What Terraform knows of it.
    pub(super) state: PathBuf,
    pub(super) endpoint: String,
    /// Zip of the functions.
    pub(super) package: PathBuf,
    /// Image of the generator; the example's own without.
    pub(super) image: Option<String>,
}

impl Stack {
    /// Applies it. Its state lies in `folder`.
    ///
    /// # Errors
    /// If there is no Terraform or no provider, or a step fails.
    pub(crate) fn apply(
        folder: &Path,
        endpoint: String,
        package: &Path,
        image: &str,
    ) -> Result<Self> {
        let terraform = Terraform::with_provider()?;
        let stack = Self {
            terraform,
            state: folder.join("terraform.tfstate"),
            endpoint,
            package: package.to_owned(),
            image: Some(image.to_owned()),
        };
        finish(&mut stack.terraform.init_command(EXAMPLE, EXAMPLE))?;
        finish(&mut stack.command("apply", &["-auto-approve", "-no-color"]))?;
        Ok(stack)
    }

    /// What the example gives out, by name.
    ///
    /// # Errors
    /// If Terraform does not say.
    pub(crate) fn outputs(&self) -> Result<Value> {
        let mut command = self.terraform.command(EXAMPLE, EXAMPLE);
        command
            .args(["output", "-json"])
            .arg(format!("-state={}", self.state.display()));
        let said: Value = serde_json::from_slice(&finish(&mut command)?)
            .context("what terraform output prints")?;
        let values = said.as_object().into_iter().flatten();
        Ok(values
            .map(|(name, output)| (name.clone(), output["value"].clone()))
            .collect())
    }

    /// Whether a plan has nothing left to do.
    ///
    /// # Errors
    /// If it has, with the plan.
    pub(crate) fn is_settled(&self) -> Result<()> {
        finish(&mut self.plan()).map(|_| ())
    }

    /// Takes it away.
    ///
    /// # Errors
    /// What cannot be destroyed.
    pub(crate) fn destroy(self) -> Result<()> {
        finish(&mut self.command("destroy", &["-auto-approve", "-no-color"])).map(|_| ())
    }

    /// Applies, plans and destroys it as steps of something greater.
    pub(super) fn check(&self, steps: &mut Steps) {
        if !self.terraform.init(steps, EXAMPLE, EXAMPLE) {
            return;
        }
        let approve = ["-auto-approve"];
        let mut apply = self.command("apply", &approve);
        if steps.run("terraform apply onto the emulator", &mut apply) {
            let name = "terraform plan after it: nothing to do";
            steps.run(name, &mut self.plan());
        }
        let mut destroy = self.command("destroy", &approve);
        steps.run("terraform destroy on the emulator", &mut destroy);
    }

    fn plan(&self) -> Command {
        self.command("plan", &["-detailed-exitcode", "-no-color"])
    }

    fn command(&self, verb: &str, options: &[&str]) -> Command {
        let mut command = self.terraform.command(EXAMPLE, EXAMPLE);
        command
            .args([verb, "-input=false"])
            .args(options)
            .arg(format!("-state={}", self.state.display()))
            .arg(format!("-var=endpoint={}", self.endpoint))
            .arg(format!("-var=functions_package={}", self.package.display()))
            .env("AWS_ENDPOINT_URL", &self.endpoint);
        if let Some(image) = &self.image {
            command.arg(format!("-var=image={image}"));
        }
        command
    }
}

/// Runs a command without a word; what it printed.
fn finish(command: &mut Command) -> Result<Vec<u8>> {
    let output = command.output().context("run terraform")?;
    ensure!(
        output.status.success(),
        "terraform {}: {}\n{}{}",
        command
            .get_args()
            .next()
            .unwrap_or_default()
            .to_string_lossy(),
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(output.stdout)
}
