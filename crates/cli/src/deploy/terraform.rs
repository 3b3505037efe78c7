//! Terraform at work in a stack's folder.

use super::changes::{ApplyEvent, Changes};
use super::folder::Folder;
use super::shell::Shell;
use crate::error::{CliError, Result};
use crate::output::say;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;
use std::path::Path;
use tokio::process::Command;

/// Terraform in one folder.
pub(super) struct Terraform<'a> {
    pub(super) folder: &'a Folder,
    pub(super) shell: &'a mut Shell,
}

impl Terraform<'_> {
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("terraform");
        command
            .args(arguments)
            .current_dir(self.folder.module())
            .env("TF_DATA_DIR", self.folder.data())
            .env("TF_IN_AUTOMATION", "1")
            .env("CHECKPOINT_DISABLE", "1")
            // Options that somebody has set for their own use of Terraform are not meant for this one.
            .env_remove("TF_WORKSPACE")
            .env_remove("TF_CLI_ARGS");
        command
    }

    /// Fetches the provider and finds the state; one that has been elsewhere moves.
    ///
    /// # Errors
    /// What Terraform says.
    pub(super) async fn init(&mut self) -> Result<()> {
        let arguments = [
            "init",
            "-input=false",
            "-no-color",
            "-migrate-state",
            "-force-copy",
        ];
        let command = self.command(&arguments);
        self.shell.finish(command, None).await.map(drop)
    }

    /// What would be changed; the plan lies in the folder.
    ///
    /// # Errors
    /// What Terraform says.
    pub(super) async fn plan(&mut self, options: &[&str]) -> Result<Changes> {
        let plan = self.folder.plan();
        let out = format!("-out={}", plan.display());
        let mut arguments = vec![
            "plan",
            "-input=false",
            "-no-color",
            "-detailed-exitcode",
            &out,
        ];
        arguments.extend(options);
        let command = self.command(&arguments);
        let ended = self.shell.run(command, None, |_| {}).await?;
        // 2: there is something to do.
        if !matches!(ended.status.code(), Some(0 | 2)) {
            return Err(CliError::run("terraform plan", ended.last_words()));
        }
        let plan = plan.to_string_lossy();
        let command = self.command(&["show", "-json", "-no-color", &plan]);
        let shown = self.shell.finish(command, None).await?;
        let plan = serde_json::from_str(&shown.stdout);
        let plan: Value = plan.map_err(|error| CliError::run("read the plan", error))?;
        Ok(Changes::of(&plan))
    }

    /// Carries out the plan that was made last, which takes so many steps.
    ///
    /// # Errors
    /// What Terraform says of each resource that failed.
    pub(super) async fn carry_out(&mut self, what: &str, steps: usize) -> Result<()> {
        let plan = self.folder.plan();
        let plan = plan.to_string_lossy();
        let command = self.command(&["apply", "-json", "-input=false", &plan]);
        let mut progress = Progress::new(what, steps);
        let mut errors = Vec::new();
        let ended = self
            .shell
            .run(command, None, |line| match ApplyEvent::of(line) {
                ApplyEvent::Done => progress.one_more(),
                ApplyEvent::Error(text) => errors.push(text),
                ApplyEvent::Nothing => {}
            });
        let ended = ended.await;
        progress.close();
        // A plan is good for once.
        remove(&self.folder.plan());
        let ended = ended?;
        if ended.status.success() {
            return Ok(());
        }
        if errors.is_empty() {
            errors.push(ended.last_words());
        }
        Err(CliError::run("terraform apply", errors.join("\n")))
    }

    /// What the root module gives out, by name; an empty object before anything was applied.
    ///
    /// # Errors
    /// What Terraform says.
    pub(super) async fn outputs(&mut self) -> Result<Value> {
        let command = self.command(&["output", "-json", "-no-color"]);
        let ended = self.shell.finish(command, None).await?;
        let all: Value = serde_json::from_str(&ended.stdout)
            .map_err(|error| CliError::run("read terraform output", error))?;
        let values = all.as_object().into_iter().flatten();
        Ok(values
            .map(|(name, output)| (name.clone(), output["value"].clone()))
            .collect())
    }

    /// Addresses of what Terraform has made, without what it only reads.
    ///
    /// # Errors
    /// What Terraform says.
    pub(super) async fn resources(&mut self) -> Result<Vec<String>> {
        let command = self.command(&["state", "list"]);
        let ended = self.shell.run(command, None, |_| {}).await?;
        // Before anything was applied there is no state to list, which is an error to Terraform.
        if !ended.status.success() && !ended.stderr.contains("No state file was found") {
            return Err(CliError::run("terraform state list", ended.last_words()));
        }
        let made = ended.stdout.lines().filter(|address| {
            let last = address.rsplit("module.").next().unwrap_or_default();
            !address.starts_with("data.") && !last.contains(".data.")
        });
        Ok(made.map(str::to_owned).collect())
    }
}

/// What is not there any more is as it should be.
fn remove(path: &Path) {
    let _ = std::fs::remove_file(path);
}

/// How far Terraform is: a bar on a terminal, a line at each quarter elsewhere.
struct Progress {
    what: String,
    bar: Option<ProgressBar>,
    steps: usize,
    done: usize,
}

impl Progress {
    fn new(what: &str, steps: usize) -> Self {
        let style = ProgressStyle::with_template("  {msg} {bar:30} {pos}/{len} {elapsed}");
        let bar = style
            .ok()
            .filter(|_| console::user_attended_stderr())
            .map(|style| {
                let bar = ProgressBar::new(steps as u64)
                    .with_style(style)
                    .with_message(what.to_owned());
                bar.enable_steady_tick(std::time::Duration::from_millis(250));
                bar
            });
        Self {
            what: what.to_owned(),
            bar,
            steps,
            done: 0,
        }
    }

    fn one_more(&mut self) {
        self.done += 1;
        if let Some(bar) = &self.bar {
            bar.inc(1);
        } else if quarter(self.done, self.steps) > quarter(self.done - 1, self.steps) {
            say!("  {}: {} of {}", self.what, self.done, self.steps);
        }
    }

    fn close(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn quarter(done: usize, of: usize) -> usize {
    done * 4 / of.max(1)
}
