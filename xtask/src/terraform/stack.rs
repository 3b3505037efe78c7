//! The example `emulator`, applied onto an emulator and taken away again.

use super::program::Terraform;
use crate::steps::Steps;
use std::path::PathBuf;
use std::process::Command;

const EXAMPLE: &str = "examples/emulator";

/// The stack at one endpoint.
pub(super) struct Stack {
    pub(super) terraform: Terraform,
    /// What Terraform knows of it.
    pub(super) state: PathBuf,
    pub(super) endpoint: String,
    /// Zip of the functions.
    pub(super) package: PathBuf,
}

impl Stack {
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
        command
    }
}
